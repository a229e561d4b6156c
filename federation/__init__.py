"""ActivityPub as a library: bytes in, verdict out; documents in, bytes out."""
