"""The document of the API, in OpenAPI's form: made from the code that answers, never written.

What it says comes from the parameters that the addresses read themselves through, from the models
that bodies are checked by, and from the shapes that the views are held to; `operations.py` names
which of them an address has. A test holds the file current that is served:

    python -m watchdog.web.openapi > watchdog/web/static/openapi.json
"""

from watchdog.web.openapi.document import document, written

__all__ = ["document", "written"]
