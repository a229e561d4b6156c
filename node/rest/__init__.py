"""The API that programs use, at `/api/v1`; and the tokens by which they are known."""
