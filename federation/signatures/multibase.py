"""base58btc in multibase (prefix `z`), the encoding of keys (FEP-521a) and proofs (FEP-8b32)."""

BASE58_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# Characters; far more than a key or a signature needs.
MAX_LEN = 200


def encode_base58(data: bytes) -> str:
    """Encode `data`, with the prefix `z`. Leading zero bytes become `1`."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58_ALPHABET[digit] + text
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + BASE58_ALPHABET[0] * zeros + text


def decode_base58(text: str) -> bytes:
    """Decode multibase base58btc. Raises `ValueError` for anything else."""
    if not text.startswith("z") or len(text) > MAX_LEN:
        raise ValueError("not base58 in multibase")
    number = 0
    for digit in text[1:]:
        number = number * 58 + BASE58_ALPHABET.index(digit)
    zeros = len(text) - 1 - len(text[1:].lstrip(BASE58_ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
