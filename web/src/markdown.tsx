/**
 * A small Markdown for instructions: headings, paragraphs, lists, quotes, code, bold, italic, links to http(s).
 * It makes Preact nodes, never HTML text, so whatever is written stays text.
 */

import type { ComponentChild, VNode } from "preact";

/** Shows a clip of the experiment: its id and the words that go with it. */
export type ShowClip = (id: string, words: string) => VNode;

/** Render instructions. Images, raw HTML and other schemes than http(s) are shown as the text they are. */
export function Markdown({ text, clip }: { text: string; clip?: ShowClip }): VNode {
  return <div class="markdown">{blocks(text, clip)}</div>;
}

/** The blocks of a text, in order. */
export function blocks(text: string, clip?: ShowClip): VNode[] {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const out: VNode[] = [];
  for (let at = 0; at < lines.length; ) {
    const [node, next] = clip && CLIP.test(lines[at]!) ? clips(lines, at, clip) : block(lines, at);
    if (node) out.push(node);
    at = next;
  }
  return out;
}

const HEADING = /^(#{1,4})\s+(.*)$/;
const BULLET = /^\s*[-*+]\s+(.*)$/;
const NUMBER = /^\s*\d+[.)]\s+(.*)$/;
const QUOTE = /^>\s?(.*)$/;
const FENCE = /^```/;
/** `![what it shows](clip:ID)`, alone on a line. */
const CLIP = /^!\[([^\]]*)\]\(clip:([\w-]{1,64})\)\s*$/;
const SPECIAL = [HEADING, BULLET, NUMBER, QUOTE, FENCE, CLIP];

function block(lines: string[], at: number): [VNode | null, number] {
  const line = lines[at]!;
  if (line.trim() === "") return [null, at + 1];
  const heading = HEADING.exec(line);
  if (heading) return [title(heading[1]!.length, heading[2]!), at + 1];
  if (FENCE.test(line)) return fence(lines, at);
  if (BULLET.test(line)) return list(lines, at, BULLET, "ul");
  if (NUMBER.test(line)) return list(lines, at, NUMBER, "ol");
  if (QUOTE.test(line)) {
    const [items, next] = run(lines, at, QUOTE);
    return [<blockquote>{blocks(items.join("\n"))}</blockquote>, next];
  }
  return paragraph(lines, at);
}

/** Clips on neighbouring lines stand side by side. */
function clips(lines: string[], at: number, show: ShowClip): [VNode, number] {
  const shown: VNode[] = [];
  for (let match = CLIP.exec(lines[at] ?? ""); match; match = CLIP.exec(lines[++at] ?? "")) {
    shown.push(show(match[2]!, match[1]!));
  }
  return [<div class="examples">{shown}</div>, at];
}

function title(level: number, text: string): VNode {
  const children = inline(text);
  // The page's own title is h1.
  if (level === 1) return <h2>{children}</h2>;
  if (level === 2) return <h3>{children}</h3>;
  return <h4>{children}</h4>;
}

function fence(lines: string[], at: number): [VNode, number] {
  let end = at + 1;
  while (end < lines.length && !FENCE.test(lines[end]!)) end++;
  return [<pre>{lines.slice(at + 1, end).join("\n")}</pre>, end + 1];
}

function list(lines: string[], at: number, mark: RegExp, Tag: "ul" | "ol"): [VNode, number] {
  const [items, next] = run(lines, at, mark);
  return [<Tag>{items.map((item) => <li>{inline(item)}</li>)}</Tag>, next];
}

function run(lines: string[], at: number, mark: RegExp): [string[], number] {
  const items: string[] = [];
  for (let match = mark.exec(lines[at] ?? ""); match; match = mark.exec(lines[++at] ?? "")) items.push(match[1]!);
  return [items, at];
}

function paragraph(lines: string[], at: number): [VNode, number] {
  let end = at + 1; // whatever the first line is, it is taken: so the reading always ends
  while (end < lines.length && lines[end]!.trim() !== "" && !SPECIAL.some((mark) => mark.test(lines[end]!))) end++;
  return [<p>{inline(lines.slice(at, end).join("\n"))}</p>, end];
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/;

/** Code, bold, italic and links within a line. */
export function inline(text: string): ComponentChild[] {
  const match = INLINE.exec(text);
  if (!match) return text ? [text] : [];
  const [whole, code, bold, bold2, italic, label, href] = match;
  const before = text.slice(0, match.index);
  const after = text.slice(match.index + whole.length);
  let node: VNode;
  if (code !== undefined) node = <code>{code}</code>;
  else if (bold ?? bold2) node = <strong>{inline((bold ?? bold2)!)}</strong>;
  else if (italic) node = <em>{inline(italic)}</em>;
  else node = <a href={href} target="_blank" rel="noopener noreferrer">{label}</a>;
  return [...(before ? [before] : []), node, ...inline(after)];
}
