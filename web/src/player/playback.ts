/** One or two views of clips that follow one clock and one orbit. */

import { signal } from "@preact/signals";

import type { Orbit } from "./camera";
import type { Clock } from "./clock";

export interface View {
  /** Show this frame; true once something is on the screen. */
  draw(frame: number, clock: Clock): boolean;
  /** Whether the person can see it now. */
  visible(): boolean;
}

/** Pictures per second on machines that draw slowly. */
const SLOW_FPS = 30;

export class Playback {
  /** Counts up where the controls around the clips have something new to show. */
  readonly changed = signal(0);
  private readonly views = new Set<View>();
  private drawn = new Set<View>();
  private sinceDraw = Infinity;

  constructor(
    readonly clock: Clock,
    readonly orbit: Orbit,
    private readonly nViews: number,
    /** Called once, when every view has been on the screen. */
    private readonly onDrawn: () => void = () => undefined,
  ) {}

  add(view: View): () => void {
    this.views.add(view);
    this.sinceDraw = Infinity;
    return () => {
      this.views.delete(view);
      this.drawn.delete(view);
    };
  }

  tick(seconds: number, slow: boolean): void {
    this.clock.advance(seconds);
    this.sinceDraw += seconds;
    if (slow && this.sinceDraw < 0.9 / SLOW_FPS) return;
    this.sinceDraw = 0;
    for (const view of this.views) if (view.visible() && view.draw(this.clock.frame, this.clock)) this.saw(view);
  }

  /** Change the clock and tell the controls. */
  set(change: (clock: Clock) => void): void {
    change(this.clock);
    this.changed.value += 1;
  }

  /** Pause, and go on by so many frames. */
  step(frames: number): void {
    this.set((clock) => clock.step(frames));
  }

  private saw(view: View): void {
    if (this.drawn.has(view)) return;
    this.drawn.add(view);
    if (this.drawn.size === this.nViews) this.onDrawn();
  }
}
