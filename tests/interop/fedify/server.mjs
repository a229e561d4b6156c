// A server made with Fedify: one organisation, what it writes, and who follows it.
//
// It speaks plain http at PORT; https at ORIGIN is in front of it. At CONTROL_PORT a test tells it
// what to do: POST of {"do": NAME, …} with one of the names of `commands`, answered in JSON.

import { createServer } from "node:http";
import {
  createFederation, generateCryptoKeyPair, InProcessMessageQueue, MemoryKvStore, parseNodeInfo,
  verifyObject,
} from "@fedify/fedify";
import {
  Accept, Activity, Announce, Create, Delete, Endpoints, Follow, Like, Note, Organization,
  PUBLIC_COLLECTION, Tombstone, Undo, Update,
} from "@fedify/vocab";

const origin = new URL(process.env.ORIGIN);
const NAME = "fedify";

const keyPairs = [
  await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"),
  await generateCryptoKeyPair("Ed25519"),
];
const followers = new Map(); // The id of an actor, to the actor.
const notes = new Map(); // The last part of an id, to the note.
const projects = new Map(); // The path of an id, to the document.
const sent = new Map(); // The id of an activity of ours, to the activity.
const received = []; // What arrived and was believed, oldest first.
const errors = [];

const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: new InProcessMessageQueue({ pollInterval: { milliseconds: 200 } }),
  allowPrivateAddress: true,
  origin: origin.href.slice(0, -1),
});

federation
  .setActorDispatcher("/actors/{identifier}", async (context, identifier) => {
    if (identifier !== NAME) return null;
    const keys = await context.getActorKeyPairs(identifier);
    return new Organization({
      id: context.getActorUri(identifier),
      preferredUsername: identifier,
      name: "The Fedify Council",
      summary: "Speaks strict JSON-LD.",
      inbox: context.getInboxUri(identifier),
      outbox: context.getOutboxUri(identifier),
      followers: context.getFollowersUri(identifier),
      endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
      publicKey: keys[0].cryptographicKey,
      assertionMethods: keys.map((pair) => pair.multikey),
    });
  })
  .setKeyPairsDispatcher(() => keyPairs);
federation.setFollowersDispatcher("/actors/{identifier}/followers", () => ({
  items: [...followers.values()],
}));
federation.setOutboxDispatcher("/actors/{identifier}/outbox", () => ({ items: [] }));
federation.setObjectDispatcher(Note, "/notes/{token}", (_context, { token }) => {
  return notes.get(token) ?? null;
});
federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
  software: { name: "fedify-example", version: "1.0.0" },
  protocols: ["activitypub"],
  usage: { users: { total: 1 }, localPosts: notes.size, localComments: 0 },
}));

federation
  .setInboxListeners("/actors/{identifier}/inbox", "/inbox")
  .on(Activity, async (context, activity) => {
    received.push(await describe(activity));
    if (activity instanceof Follow) await accept(context, activity);
    if (activity instanceof Undo) {
      const undone = await activity.getObject(context);
      if (undone instanceof Follow && undone.actorId?.href === activity.actorId?.href) {
        followers.delete(activity.actorId.href);
      }
    }
  })
  .onError((_context, error) => {
    errors.push(String(error.stack));
  });

/** An activity as Fedify understood it: the object's properties are those it has types for. */
async function describe(activity) {
  const object = await activity.getObject({ suppressError: true });
  return {
    id: activity.id?.href,
    type: activity.constructor.name,
    actor: activity.actorId?.href,
    object: activity.objectId?.href,
    name: object?.name?.toString(),
    content: object?.content?.toString(),
  };
}

async function accept(context, activity) {
  const follower = await activity.getActor(context);
  followers.set(follower.id.href, follower);
  await send(context, follower, new Accept({
    id: newId("accept"),
    actor: context.getActorUri(NAME),
    object: activity,
  }), false);
}

function tokenOf(id) {
  return id.pathname.split("/").pop();
}

function newId(kind, token = crypto.randomUUID()) {
  return new URL(`/${kind}s/${token}`, origin);
}

/** Sends an activity now, and fails where the other server does not take it; or else later. */
async function send(context, to, activity, immediate = true) {
  const options = { immediate, preferSharedInbox: true };
  await context.sendActivity({ identifier: NAME }, to, activity, options);
  sent.set(activity.id.href, activity);
  return activity.id.href;
}

async function find(context, wanted) {
  const found = await context.lookupObject(wanted, {
    documentLoader: await context.getDocumentLoader({ identifier: NAME }),
  });
  if (found == null) throw new Error(`${wanted} was not found`);
  return found;
}

/** Addressed to all and to somebody, and sent to that somebody. */
async function tell(context, kind, to, object) {
  const recipient = await find(context, to);
  return await send(context, recipient, new kind({
    id: newId(kind.name.toLowerCase()),
    actor: context.getActorUri(NAME),
    object,
    to: PUBLIC_COLLECTION,
    cc: recipient.id,
  }));
}

const commands = {
  /** An actor or object as Fedify reads it from its address. */
  async find(context, { what }) {
    return await (await find(context, what)).toJsonLd({ format: "compact", ...context });
  },
  async webfinger(context, { what }) {
    const found = await context.lookupWebFinger(`acct:${what.replace(/^@/, "")}`);
    return found?.links.find((link) => link.rel === "self")?.href;
  },
  async nodeinfo(_context, { url }) {
    // Its own getNodeInfo reads from public addresses only, whatever it is told.
    const { links } = await (await fetch(new URL("/.well-known/nodeinfo", url))).json();
    const given = await (await fetch(links[0].href)).json();
    return parseNodeInfo(given); // Nothing unless it is strictly right.
  },
  async follow(context, { whom }) {
    const recipient = await find(context, whom);
    return await send(context, recipient, new Follow({
      id: newId("follow"),
      actor: context.getActorUri(NAME),
      object: recipient.id,
      to: recipient.id,
    }));
  },
  /** Writes a note about something, or writes the note `uri` anew. */
  async write(context, { content, about, to, uri }) {
    const id = uri ? new URL(uri) : newId("note");
    const note = new Note({
      id,
      attribution: context.getActorUri(NAME),
      content,
      replyTarget: new URL(about),
      to: PUBLIC_COLLECTION,
      cc: new URL(to),
    });
    notes.set(tokenOf(id), note);
    await tell(context, uri ? Update : Create, to, note);
    return id.href;
  },
  /** Has a document with terms that Fedify has no types for, and says so by its id. */
  async publish(context, { document, to, uri }) {
    const id = uri ? new URL(uri) : newId("project");
    const attributedTo = context.getActorUri(NAME).href;
    projects.set(id.pathname, { ...document, id: id.href, attributedTo });
    await tell(context, uri ? Update : Create, to, id);
    return id.href;
  },
  async delete(context, { what, to }) {
    const id = new URL(what);
    notes.delete(tokenOf(id));
    projects.delete(id.pathname);
    return await tell(context, Delete, to, new Tombstone({ id }));
  },
  async like(context, { what, to }) {
    return await tell(context, Like, to, new URL(what));
  },
  async announce(context, { what, to }) {
    return await tell(context, Announce, to, new URL(what));
  },
  /** Takes back an activity, which is sent along. */
  async undo(context, { what, to }) {
    return await tell(context, Undo, to, sent.get(what));
  },
  /** Whether an activity carries a proof by its own actor. */
  async proves(context, { document }) {
    const { contextLoader } = context;
    const documentLoader = await context.getDocumentLoader({ identifier: NAME });
    return await verifyObject(Activity, document, { contextLoader, documentLoader }) != null;
  },
  seen() {
    return { received, errors, followers: [...followers.keys()] };
  },
};

/** The request of Node.js as one of the web, at the address that the outside knows. */
async function webRequest(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  return new Request(new URL(request.url, origin), {
    method: request.method,
    headers: Object.entries(request.headersDistinct).flatMap(
      ([name, values]) => values.map((value) => [name, value]),
    ),
    body: hasBody ? Buffer.concat(parts) : undefined,
  });
}

function listen(port, answer) {
  createServer(async (request, response) => {
    try {
      const given = await answer(await webRequest(request));
      response.writeHead(given.status, Object.fromEntries(given.headers));
      response.end(Buffer.from(await given.arrayBuffer()));
    } catch (error) {
      response.writeHead(500).end(String(error.stack));
    }
  }).listen(Number(port), "127.0.0.1");
}

listen(process.env.PORT, async (request) => {
  const project = projects.get(new URL(request.url).pathname);
  if (project == null) return await federation.fetch(request, { contextData: undefined });
  return Response.json(project, { headers: { "content-type": "application/activity+json" } });
});
listen(process.env.CONTROL_PORT, async (request) => {
  const { do: name, ...given } = await request.json();
  const context = federation.createContext(origin, undefined);
  return Response.json((await commands[name](context, given)) ?? null);
});
