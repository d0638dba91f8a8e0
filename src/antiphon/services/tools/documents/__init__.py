"""The tools `search_documents` and `read_document`: the text files of a folder."""

from antiphon.services.tools.documents.service import Documents

__all__ = ["Documents"]
