import type { VNode } from "preact";
import { describe, expect, it } from "vitest";

import { blocks } from "./markdown";

/** Nodes as indented names and texts, enough to see what a browser would show. */
function shape(node: unknown): unknown {
  if (Array.isArray(node)) return node.flatMap((one) => [shape(one)]);
  if (node === null || typeof node !== "object") return node;
  const { type, props } = node as VNode<{ children?: unknown; href?: string }>;
  const children = [props.children ?? []].flat(3).map(shape);
  return props.href ? [type, props.href, ...children] : [type, ...children];
}

const shapes = (text: string) => blocks(text).map(shape);

describe("markdown", () => {
  it("knows headings, paragraphs, lists, quotes and code", () => {
    expect(shapes("# Title\n\none\ntwo\n\n- a\n- b\n\n1. c\n\n> said\n\n```\n<x>\n```")).toEqual([
      ["h2", "Title"], ["p", "one\ntwo"], ["ul", ["li", "a"], ["li", "b"]], ["ol", ["li", "c"]],
      ["blockquote", ["p", "said"]], ["pre", "<x>"],
    ]);
  });

  it("knows bold, italic, code and web links", () => {
    expect(shapes("**a** *b* `c` [d](https://example.org/e)")).toEqual([
      ["p", ["strong", "a"], " ", ["em", "b"], " ", ["code", "c"], " ", ["a", "https://example.org/e", "d"]],
    ]);
  });

  it("leaves HTML and other schemes as text", () => {
    const evil = '<img src=x onerror=alert(1)> [x](javascript:alert(1)) ![i](https://e.org/i.png)<script>1</script>';
    const text = JSON.stringify(shapes(evil));
    expect(text).toContain("<img src=x onerror=alert(1)>");
    expect(text).toContain("[x](javascript:alert(1))");
    expect(text).not.toMatch(/\["(img|script)"/);
  });

  it("ends on any text", () => {
    for (const text of ["", "\n\n", "```", "#", "- ", ">", "**", "[](", "*a", "1.", "#####x", "```\n", "-\n-"]) {
      expect(Array.isArray(blocks(text))).toBe(true);
    }
  });

  it("shows clips side by side where somebody can, and leaves them text where not", () => {
    const show = (id: string, words: string) => ({ type: "clip", props: { children: [id, words] } }) as unknown as VNode;
    const text = "Look:\n\n![a good jump](clip:c1)\n![a *bad* one](clip:c2)\n\nwell";
    expect(blocks(text, show).map(shape)).toEqual([
      ["p", "Look:"], ["div", ["clip", "c1", "a good jump"], ["clip", "c2", "a *bad* one"]], ["p", "well"],
    ]);
    expect(JSON.stringify(shapes(text))).toContain("(clip:c1)");
    for (const bad of ["![x](clip:../../e)", "![x](clip:)", "![x](clip:a b)", "![x](https://e.org/i.png)", "a ![x](clip:c1)"]) {
      expect(JSON.stringify(blocks(bad, show).map(shape))).not.toContain('"clip"');
    }
  });
});
