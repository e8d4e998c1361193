/** Keeps a film in step with the clock that the other views follow too. */

import type { Clock } from "./clock";

/** What is needed of a video element. */
export interface Film {
  currentTime: number;
  playbackRate: number;
  readonly paused: boolean;
  readonly seeking: boolean;
  readonly readyState: number;
  play(): Promise<void>;
  pause(): void;
  requestVideoFrameCallback?(seen: () => void): number;
}

/** Of a playing film, seconds: what is less is made up for by a slightly other speed, what is more by a jump. */
const JUMP_S = 0.15;
/** How much other that speed may be. */
const GIVE = 0.3;
const HAVE_CURRENT_DATA = 2;

export class Follower {
  private shown = false;
  /** The browser refuses to play by itself: then every frame is jumped to. */
  private refused = false;

  constructor(
    private readonly film: Film,
    private readonly ref: { n_frames: number; fps: number },
  ) {
    film.requestVideoFrameCallback?.(() => (this.shown = true));
  }

  /** Be where the clock is; true once a picture is on the screen. */
  follow(frame: number, clock: Clock): boolean {
    const { film, ref } = this;
    const last = ref.n_frames - 1;
    // The middle of a frame: there its picture is shown, however times are rounded.
    const wanted = (Math.min(frame, last) + 0.5) / ref.fps;
    if (clock.playing && frame < last && !this.refused) this.run(wanted, clock.rate / ref.fps);
    else this.stand(wanted);
    if (!film.requestVideoFrameCallback) this.shown ||= film.readyState >= HAVE_CURRENT_DATA && !film.seeking;
    return this.shown;
  }

  private run(wanted: number, rate: number): void {
    const { film } = this;
    const late = wanted - film.currentTime;
    if (Math.abs(late) > JUMP_S * Math.max(1, rate)) this.jump(wanted);
    const give = Math.min(GIVE, Math.max(-GIVE, late * 4));
    film.playbackRate = Math.min(16, Math.max(0.0625, rate * (1 + give)));
    if (film.paused) film.play().catch((error: Error) => (this.refused = error.name === "NotAllowedError"));
  }

  private stand(wanted: number): void {
    if (!this.film.paused) this.film.pause();
    if (Math.abs(this.film.currentTime - wanted) > 0.25 / this.ref.fps) this.jump(wanted);
  }

  private jump(to: number): void {
    if (!this.film.seeking) this.film.currentTime = to;
  }
}
