/** One animation loop for everything that moves on the page. */

type Tick = (seconds: number) => void;

const ticks = new Set<Tick>();
let last = 0;
let handle = 0;

function run(now: number): void {
  const seconds = last === 0 ? 0 : (now - last) / 1000;
  last = now;
  for (const tick of [...ticks]) tick(seconds);
  handle = ticks.size > 0 ? requestAnimationFrame(run) : 0;
  if (handle === 0) last = 0;
}

/** Call `tick` before every repaint until the returned function is called. */
export function everyFrame(tick: Tick): () => void {
  ticks.add(tick);
  if (handle === 0) handle = requestAnimationFrame(run);
  return () => ticks.delete(tick);
}
