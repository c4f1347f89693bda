"""XML of packed formats, parsed without entities, network or limits lifted."""

from __future__ import annotations

from typing import Any

from rag.errors import SourceError


def parse_xml(data: bytes) -> Any:
    """The root element of `data`; broken XML is read as far as it goes.

    :raises SourceError: there is no element in it.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, recover=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser=parser)
    except etree.XMLSyntaxError as error:
        raise SourceError(f"damaged XML inside the file: {error}") from error
    if root is None:
        raise SourceError("damaged XML inside the file: no element in it")
    return root
