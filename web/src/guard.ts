/** A pair can be answered once, and only after it could be seen; a key that is held down answers once. */

export const LEAST_MS = 300;
/** No finger leaves a key and comes back faster; remote desktops send a held key as such pairs. */
export const ECHO_MS = 20;

export class Guard {
  private drawn_ = false;
  private away_ = false;
  private done = false;
  /** Milliseconds it could be seen before `since`. */
  private seen = 0;
  private since: number | null = null;

  /** A new pair comes on the screen. */
  reset(): void {
    this.drawn_ = this.done = false;
    this.seen = 0;
    this.since = null;
  }

  /** Both clips have been drawn. */
  drawn(now: number): void {
    this.drawn_ = true;
    this.look(now);
  }

  /** Something covers the pair, a dialog or another window: it is not being looked at. */
  away(now: number): void {
    if (this.since !== null) this.seen += now - this.since;
    this.since = null;
    this.away_ = true;
  }

  /** It can be seen again. */
  back(now: number): void {
    this.away_ = false;
    this.look(now);
  }

  /** Seconds for which the pair could be seen. */
  seconds(now: number): number {
    return (this.seen + (this.since === null ? 0 : now - this.since)) / 1000;
  }

  /** True once per pair, if it has been seen long enough and can be seen now. */
  take(now: number): boolean {
    if (this.done || this.since === null || this.seconds(now) * 1000 < LEAST_MS) return false;
    this.done = true;
    return true;
  }

  private look(now: number): void {
    if (this.drawn_ && !this.away_) this.since ??= now;
  }
}

/** Tells a press from the echo of a key that is still held. */
export class Held {
  private readonly upAt = new Map<string, number>();

  up(key: string, now: number): void {
    this.upAt.set(key, now);
  }

  /** Whether this press is only the key being held. */
  down(key: string, repeat: boolean, now: number): boolean {
    return repeat || now - (this.upAt.get(key) ?? -Infinity) < ECHO_MS;
  }
}
