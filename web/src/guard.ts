/** A pair can be answered once, and only after it could be seen. */

export const LEAST_MS = 300;

export class Guard {
  private drawnAt: number | null = null;
  private done = false;

  /** A new pair comes on the screen. */
  reset(): void {
    this.drawnAt = null;
    this.done = false;
  }

  /** Both clips have been drawn. */
  drawn(now: number): void {
    this.drawnAt ??= now;
  }

  /** Seconds since the pair could be seen. */
  seconds(now: number): number {
    return this.drawnAt === null ? 0 : (now - this.drawnAt) / 1000;
  }

  /** True once per pair, if it has been seen long enough. */
  take(now: number): boolean {
    if (this.done || this.drawnAt === null || now - this.drawnAt < LEAST_MS) return false;
    this.done = true;
    return true;
  }
}
