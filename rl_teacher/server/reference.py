"""The API's own documentation page, made of its OpenAPI description: plain HTML, nothing loaded from anywhere."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Response

PATH = "/docs"
"""Below the API's own prefix."""


def reference_router(app: FastAPI) -> APIRouter:
    """A route for the page.

    Args:
        app: What it describes.
    """
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    def reference() -> Response:
        return Response(page(app.openapi()), media_type="text/html")

    return router


def page(described: Mapping[str, Any]) -> str:
    """An OpenAPI description as HTML."""
    operations = [
        _operation(method, path, operation, described)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    title = html.escape(f"{described['info']['title']} {described['info']['version']}: the API")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
        "<p>Send <code>Authorization: Bearer TOKEN</code>; <code>rl-teacher token create</code> makes one. "
        'For programs: <a href="openapi.json">openapi.json</a>.</p>' + "".join(operations) + "</html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    text = html.escape(operation.get("description", ""))
    rows = [
        (f"{given['name']} ({given['in']})", given["schema"], given.get("required", False))
        for given in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        shape = _shape(body, described)
        needed = shape.get("required", ())
        rows += [(name, schema, name in needed) for name, schema in shape.get("properties", {}).items()]
    cells = "".join(
        f"<tr><td><code>{html.escape(name)}</code><td>{html.escape(_kind(schema, described))}"
        f"<td>{'needed' if needed else ''}"
        for name, schema, needed in rows
    )
    heading = f"<h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{text}</p>"
    return heading + (f"<table><tr><th>field<th>what<th>{cells}</table>" if cells else "")


def _shape(schema: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return described["components"]["schemas"][name] if name else schema


def _kind(schema: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    schema = {**_shape(schema, described), **schema}
    if "anyOf" in schema:
        return " or ".join(_kind(one, described) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "items" in schema:
        return f"list of {_kind(schema['items'], described)}"
    kind = str(schema.get("type") or "anything")
    names = ("minimum", "maximum", "minLength", "maxLength", "default")
    told = {name: schema[name] for name in names if schema.get(name) not in (None, "")}
    bounds = [f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in told.items()]
    return f"{kind}, {', '.join(bounds)}" if bounds else kind
