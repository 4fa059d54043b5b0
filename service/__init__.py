"""The HTTP service: profiles over a small JSON API, long work as jobs, and a page.

Example:
    >>> from service import create_app
    >>> app = create_app()  # doctest: +SKIP
    >>> app.test_client().get("/health/live").status_code  # doctest: +SKIP
    200
"""

from service.app import create_app
from service.config import Config

__all__ = ["Config", "create_app"]
