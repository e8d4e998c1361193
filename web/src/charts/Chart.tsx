/** A line over two axes, drawn as SVG; what it says can be read off with the pointer, the arrow keys, or as a table. */

import { useEffect, useRef, useState } from "preact/hooks";

import { nice, type Range, rangeOf, scale, short, thin, ticks } from "./scale";

export interface Axis {
  /** With its unit. */
  label: string;
  format?: (value: number) => string;
  /** What the axis shows at least. */
  least?: Range;
}

interface Props {
  title: string;
  x: Axis;
  y: Axis;
  /** Rising in x. */
  points: [number, number][];
  /** x, low, high: drawn as a band behind everything. */
  band?: [number, number, number][];
  /** Drawn as dots, where the points are a curve through them. */
  dots?: [number, number][];
  /** Where nothing can be drawn yet. */
  empty?: string;
}

const HEIGHT = 190;
const ROOM = { left: 48, right: 14, top: 10, bottom: 38 };
const TABLE_ROWS = 30;
/** So many points are shown as such, not only by the line through them. */
const FEW = 25;

export function Chart({ title, x, y, points, band = [], dots = [], empty = "Nothing was measured yet." }: Props) {
  const [place, width] = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const readable = dots.length > 0 ? dots : points;
  const shown = at === null ? null : (readable[Math.min(at, readable.length - 1)] ?? null);
  const say = ([a, b]: [number, number]) => `${x.label} ${(x.format ?? short)(a)}: ${(y.format ?? short)(b)}`;
  const last = readable[readable.length - 1];
  return (
    <figure class="chart" ref={place} data-testid="chart">
      <figcaption>
        <span class="strong">{title}</span>
        <span class="soft" role="status">{shown ? say(shown) : last ? `${dots.length > 0 ? "last measured" : "now"} ${(y.format ?? short)(last[1])}` : ""}</span>
      </figcaption>
      {points.length === 0 ? (
        <p class="soft chart-empty">{empty}</p>
      ) : (
        <>
          <Drawing {...{ title, x, y, points, band, dots, width, shown, readable, setAt }} summary={last ? say(last) : ""} />
          <AsTable {...{ title, x, y }} points={readable} />
        </>
      )}
    </figure>
  );
}

interface DrawingProps extends Required<Omit<Props, "empty">> {
  width: number;
  shown: [number, number] | null;
  readable: [number, number][];
  setAt: (change: (before: number | null) => number | null) => void;
  summary: string;
}

function Drawing({ title, x, y, points, band, dots, width, shown, readable, setAt, summary }: DrawingProps) {
  const every = [...points, ...dots];
  const nX = width < 420 ? 4 : 6;
  const xRange = rangeOf([...every.map(([a]) => a), ...(x.least ?? [])]);
  const yRange = nice(rangeOf([...every.map(([, b]) => b), ...band.flatMap(([, a, b]) => [a, b]), ...(y.least ?? [])]), 4);
  const right = width - ROOM.right;
  const bottom = HEIGHT - ROOM.bottom;
  const px = scale(xRange, [ROOM.left, right]);
  const py = scale(yRange, [bottom, ROOM.top]);
  const path = (line: [number, number][]) => line.map(([a, b], i) => `${i ? "L" : "M"}${px(a).toFixed(1)} ${py(b).toFixed(1)}`).join("");
  const area = path([...band.map(([a, low]): [number, number] => [a, low]), ...[...band].reverse().map(([a, , high]): [number, number] => [a, high])]);
  const nearest = (event: PointerEvent) => {
    const spot = event.clientX - (event.currentTarget as SVGElement).getBoundingClientRect().left;
    let best = 0;
    readable.forEach(([a], i) => {
      if (Math.abs(px(a) - spot) < Math.abs(px(readable[best]![0]) - spot)) best = i;
    });
    setAt(() => best);
  };
  const end = readable.length - 1;
  const onKey = (event: KeyboardEvent) => {
    const moves: Record<string, (now: number) => number> = {
      ArrowLeft: (now) => now - 1, ArrowRight: (now) => now + 1, Home: () => 0, End: () => end,
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    setAt((now) => Math.min(end, Math.max(0, move(now ?? end))));
  };
  return (
    <svg
      width={width}
      height={HEIGHT}
      role="img"
      tabIndex={0}
      aria-label={`${title}. ${readable.length} points; the newest at ${summary}. Arrow keys read them.`}
      onPointerMove={nearest}
      onPointerDown={nearest}
      onPointerLeave={() => setAt(() => null)}
      onBlur={() => setAt(() => null)}
      onKeyDown={onKey}
    >
      {ticks(yRange, 4).map((tick) => (
        <g key={tick}>
          <line class="grid" x1={ROOM.left} x2={right} y1={py(tick)} y2={py(tick)} />
          <text x={ROOM.left - 7} y={py(tick) + 4} text-anchor="end">{(y.format ?? short)(tick)}</text>
        </g>
      ))}
      {ticks(xRange, nX).map((tick) => (
        <text key={tick} x={Math.min(px(tick), right - 8)} y={bottom + 16} text-anchor="middle">{(x.format ?? short)(tick)}</text>
      ))}
      <text x={(ROOM.left + right) / 2} y={HEIGHT - 5} text-anchor="middle">{x.label}</text>
      {band.length > 1 && <path class="band" d={`${area}Z`} />}
      <path class="line" d={path(points)} />
      {dots.map(([a, b]) => <circle key={a} class="dot" cx={px(a)} cy={py(b)} r={2.5} />)}
      {dots.length === 0 && points.length <= FEW &&
        points.map(([a, b]) => <circle key={a} class="dot" cx={px(a)} cy={py(b)} r={3} />)}
      {shown && (
        <g class="here">
          <line x1={px(shown[0])} x2={px(shown[0])} y1={ROOM.top} y2={bottom} />
          <circle cx={px(shown[0])} cy={py(shown[1])} r={4.5} />
        </g>
      )}
    </svg>
  );
}

function AsTable({ title, x, y, points }: { title: string; x: Axis; y: Axis; points: [number, number][] }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="soft">As a table</summary>
      {open && (
        <div class="chart-table" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
          <table>
            <thead>
              <tr><th scope="col">{x.label}</th><th scope="col">{y.label}</th></tr>
            </thead>
            <tbody>
              {thin(points, TABLE_ROWS).map(([a, b]) => (
                <tr key={a}><td>{(x.format ?? short)(a)}</td><td>{(y.format ?? short)(b)}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** The width an element has on the screen, in pixels. */
function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [width, setWidth] = useState(320);
  const watch = useRef<ResizeObserver | null>(null);
  const place = useRef((element: HTMLElement | null) => {
    watch.current?.disconnect();
    if (!element) return;
    watch.current = new ResizeObserver(([entry]) => setWidth(Math.max(220, Math.floor(entry!.contentRect.width))));
    watch.current.observe(element);
  });
  useEffect(() => () => watch.current?.disconnect(), []);
  return [place.current, width];
}
