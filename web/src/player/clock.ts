/** Time of a looping clip or a pair of clips in step. */

/** Pause on the last frame before the loop starts again, seconds of the viewer. */
export const HOLD_S = 0.3;

export interface Timing {
  nFrames: number;
  fps: number;
  dt: number;
}

/** Viewer's seconds → simulated seconds at 1×: 0.2 means five times slower than life. */
export function factor({ fps, dt }: Timing): number {
  return fps * dt;
}

/** "5.0× slower than life", "real time", "2.0× faster than life". */
export function factorText(value: number): string {
  if (!(value > 0)) return "";
  if (Math.abs(value - 1) < 0.03) return "real time";
  return value < 1 ? `${(1 / value).toFixed(1)}× slower than life` : `${value.toFixed(1)}× faster than life`;
}

/** Speeds a viewer may choose, times the clip's own. */
export const SPEEDS: readonly number[] = [0.25, 0.5, 0.75, 1, 1.5, 2];

/** The next speed up (1) or down (-1); the last one stays. */
export function nextSpeed(speed: number, by: 1 | -1): number {
  const beyond = SPEEDS.filter((one) => (by > 0 ? one > speed : one < speed));
  return (by > 0 ? beyond[0] : beyond[beyond.length - 1]) ?? speed;
}

/** Runs from 0 to the end, holds, starts again. Several views may follow one clock. */
export class Clock {
  /** In frames; not whole: drawing interpolates. */
  frame = 0;
  playing = true;
  loops = true;
  /** Times the clip's own fps. */
  speed = 1;
  realTime = false;
  private held = 0;

  constructor(readonly timing: Timing) {}

  /** Frames per second of the viewer right now. */
  get rate(): number {
    const { fps, dt } = this.timing;
    return (this.realTime && dt > 0 ? 1 / dt : fps) * this.speed;
  }

  /** Viewer's seconds per simulated second, as a factor of life. */
  get life(): number {
    return this.rate * this.timing.dt;
  }

  get last(): number {
    return Math.max(this.timing.nFrames - 1, 0);
  }

  /** Let `seconds` pass. A sleeping tab does not make it jump. */
  advance(seconds: number): void {
    if (!this.playing) return;
    const frame = this.frame + Math.min(seconds, 0.25) * this.rate;
    if (frame < this.last) {
      this.frame = frame;
      return;
    }
    this.held = this.frame < this.last ? 0 : this.held + seconds;
    this.frame = this.last;
    if (this.held >= HOLD_S && this.loops) this.seek(0);
  }

  /** Stand still, so many whole frames on; from either end on to the other. */
  step(frames: number): void {
    this.playing = false;
    const n = this.last + 1;
    const at = frames > 0 ? Math.floor(this.frame + 1e-6) : Math.ceil(this.frame - 1e-6);
    this.seek((((at + frames) % n) + n) % n);
  }

  seek(frame: number): void {
    this.frame = Math.min(Math.max(frame, 0), this.last);
    this.held = 0;
  }
}
