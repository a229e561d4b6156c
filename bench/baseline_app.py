"""The limit that the node's web requests are held against: Flask views that do nothing, on the same
web server. Run as `python -m bench.baseline_app PORT`.
"""

import logging
import sys

import waitress
from flask import Flask, Response, request

from node.settings import Settings

# As large as what the node answers with.
SAMPLE_DOCUMENT = b'{"filler": "' + b"x" * 1500 + b'"}'


def create_baseline_app() -> Flask:
    app = Flask("bare")

    @app.post("/inbox")
    def inbox() -> Response:
        request.get_data()
        return Response(status=202)

    @app.get("/document")
    def document() -> Response:
        return Response(SAMPLE_DOCUMENT, content_type="application/activity+json")

    return app


if __name__ == "__main__":
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # as the node does
    server = waitress.create_server(
        create_baseline_app(), listen=f"127.0.0.1:{sys.argv[1]}", threads=Settings.threads
    )
    server.adj.send_bytes = 18_000  # as the node does
    server.run()
