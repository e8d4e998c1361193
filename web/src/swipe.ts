/**
 * Fingers on the clips. One finger swipes an answer: left and right choose, up is a tie, down is "can't tell". Two fingers
 * turn the camera and come nearer, so the two never fight. A mouse or a pen still turns by dragging.
 */

import type { Choice } from "./keys";

/** What letting go now would mean. */
export interface Cue {
  verdict: Choice;
  /** From 0 to 1; answered from 1 on. */
  pull: number;
}

/** Pixels from which letting go answers. */
export const FAR_PX = 64;
const NEAR_PX = 12;
/** A swipe this slanted has no direction. */
const SLANT = 1.3;

interface Finger {
  x: number;
  y: number;
}

export interface Turn {
  dx: number;
  dy: number;
  /** How much nearer the fingers came to each other, as a factor. */
  scale: number;
}

/** The fingers on the glass, and what they mean. No DOM in here. */
export class Swipe {
  private readonly fingers = new Map<number, Finger>();
  private start: Finger | null = null;

  down(id: number, x: number, y: number): void {
    this.fingers.set(id, { x, y });
    // A second finger ends the swipe until all have left.
    this.start = this.fingers.size === 1 ? { x, y } : null;
  }

  /** A finger moved: how the camera turns, if two are on the glass. */
  move(id: number, x: number, y: number): Turn | null {
    const finger = this.fingers.get(id);
    if (!finger) return null;
    const before = this.spread();
    const [dx, dy] = [x - finger.x, y - finger.y];
    [finger.x, finger.y] = [x, y];
    if (this.fingers.size < 2) return null;
    const after = this.spread();
    const n = this.fingers.size;
    return { dx: dx / n, dy: dy / n, scale: before > 0 && after > 0 ? before / after : 1 };
  }

  /** What letting go now would mean; null while that is nothing. */
  cue(): Cue | null {
    const [finger] = this.fingers.values();
    if (!this.start || !finger) return null;
    const [dx, dy] = [finger.x - this.start.x, finger.y - this.start.y];
    const [wide, high] = [Math.abs(dx), Math.abs(dy)];
    if (Math.max(wide, high) < NEAR_PX || Math.max(wide, high) < SLANT * Math.min(wide, high)) return null;
    const verdict = wide > high ? (dx < 0 ? "LEFT" : "RIGHT") : dy < 0 ? "TIE" : "ABSTAIN";
    return { verdict, pull: Math.min(1, Math.max(wide, high) / FAR_PX) };
  }

  /** A finger left: the answer it gave, if any. */
  up(id: number): Choice | null {
    const cue = this.cue();
    this.leave(id);
    return cue && cue.pull >= 1 ? cue.verdict : null;
  }

  /** A finger was taken away by the system: that answers nothing. */
  leave(id: number): void {
    this.fingers.delete(id);
    this.start = null;
  }

  private spread(): number {
    const [a, b] = this.fingers.values();
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  }
}

interface Wishes {
  cue: (cue: Cue | null) => void;
  answer: (verdict: Choice) => void;
  turn: (turn: Turn) => void;
}

/** Follow the fingers on an element until the returned function is called. */
export function swiping(element: HTMLElement, wishes: Wishes): () => void {
  const swipe = new Swipe();
  const stop = new AbortController();
  const on = (type: string, then: (event: PointerEvent) => void) =>
    element.addEventListener(
      type,
      (event) => {
        const pointer = event as PointerEvent;
        if (pointer.pointerType !== "touch") return;
        // The clips turn by dragging: they must not see this finger.
        pointer.stopPropagation();
        then(pointer);
        wishes.cue(swipe.cue());
      },
      { capture: true, signal: stop.signal },
    );
  on("pointerdown", ({ pointerId, clientX, clientY }) => swipe.down(pointerId, clientX, clientY));
  on("pointermove", ({ pointerId, clientX, clientY }) => {
    const turn = swipe.move(pointerId, clientX, clientY);
    if (turn) wishes.turn(turn);
  });
  on("pointerup", ({ pointerId }) => {
    const verdict = swipe.up(pointerId);
    if (verdict) wishes.answer(verdict);
  });
  on("pointercancel", ({ pointerId }) => swipe.leave(pointerId));
  return () => stop.abort();
}
