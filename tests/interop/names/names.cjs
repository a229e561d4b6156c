// Node.js requires this at its start: names below .test are on this machine.
// No other name is known. Whoever asks for one is written to the file that STRANGE_NAMES names.

const dns = require("node:dns");
const { appendFileSync } = require("node:fs");
const { isIP } = require("node:net");

const lookUp = dns.lookup;

dns.lookup = (name, options, callback) => {
  const [given, answer] = typeof options === "function" ? [{}, options] : [options, callback];
  if (name.endsWith(".test")) return lookUp("127.0.0.1", given, answer);
  if (name === "localhost" || isIP(name)) return lookUp(name, given, answer);
  appendFileSync(process.env.STRANGE_NAMES, `${name}\n`);
  const error = Object.assign(new Error("not a name of this test"), { code: "ENOTFOUND" });
  process.nextTick(answer, error);
};
