import { describe, expect, it } from "vitest";

import { Orbit } from "./camera";
import { Clock } from "./clock";
import { playable } from "./films";
import { Playback } from "./playback";
import { type Film, Follower } from "./video";

const TIMING = { nFrames: 20, fps: 10, dt: 0.1 };
const REF = { n_frames: 20, fps: 10 };

/** A film that plays as a browser would, without a browser. */
class FakeFilm implements Film {
  playbackRate = 1;
  paused = true;
  seeking = false;
  readyState = 0;
  jumps: number[] = [];
  private at = 0;
  constructor(private readonly refuses = false) {}
  get currentTime() { return this.at; }
  set currentTime(to: number) { this.jumps.push(to); this.at = to; }
  async play() {
    if (this.refuses) throw Object.assign(new Error("no"), { name: "NotAllowedError" });
    this.paused = false;
  }
  pause() { this.paused = true; }
  pass(seconds: number) { if (!this.paused) this.at += seconds * this.playbackRate; }
}

/** Which picture of the film is on the screen. */
const picture = (film: FakeFilm) => Math.floor(film.currentTime * REF.fps + 1e-9);

async function play(film: FakeFilm, clock: Clock, ticks: number, step = 1 / 60): Promise<number> {
  const follower = new Follower(film, REF);
  let worst = 0;
  for (let i = 0; i < ticks; i++) {
    clock.advance(step);
    film.pass(step);
    follower.follow(clock.frame, clock);
    await Promise.resolve();
    if (i > 2) worst = Math.max(worst, Math.abs(film.currentTime - (Math.min(clock.frame, 19) + 0.5) / REF.fps));
  }
  return worst;
}

describe("a film", () => {
  for (const speed of [0.25, 1, 2]) {
    it(`stays within a frame of the clock over several loops at ${speed}×`, async () => {
      const clock = new Clock(TIMING);
      clock.speed = speed;
      expect(await play(new FakeFilm(), clock, 1500)).toBeLessThan(0.1 * Math.max(1, speed));
    });
  }

  it("is jumped to every frame where the browser refuses to play", async () => {
    const film = new FakeFilm(true);
    expect(await play(film, new Clock(TIMING), 300)).toBeLessThan(0.1);
    expect(film.paused).toBe(true);
  });

  it("shows exactly the frame that was stepped to", async () => {
    const [film, clock] = [new FakeFilm(), new Clock(TIMING)];
    await play(film, clock, 40);
    const follower = new Follower(film, REF);
    for (const by of [1, 1, -1, 1]) {
      clock.step(by);
      follower.follow(clock.frame, clock);
      expect(picture(film)).toBe(clock.frame);
      expect(film.paused).toBe(true);
    }
  });

  it("stands on its last picture while a longer one beside it goes on", () => {
    const [film, clock] = [new FakeFilm(), new Clock({ ...TIMING, nFrames: 40 })];
    clock.seek(35);
    new Follower(film, REF).follow(clock.frame, clock);
    expect(picture(film)).toBe(19);
    expect(film.paused).toBe(true);
  });

  it("counts as seen only when a picture is on the screen", () => {
    const [film, clock] = [new FakeFilm(), new Clock(TIMING)];
    const follower = new Follower(film, REF);
    expect(follower.follow(0, clock)).toBe(false);
    film.readyState = 2;
    film.seeking = true;
    expect(follower.follow(0, clock)).toBe(false);
    film.seeking = false;
    expect(follower.follow(0, clock)).toBe(true);
    let seen = () => {};
    const modern = Object.assign(new FakeFilm(), { readyState: 4, requestVideoFrameCallback: (tell: () => void) => ((seen = tell), 1) });
    const other = new Follower(modern, REF);
    expect(other.follow(0, clock)).toBe(false);
    seen();
    expect(other.follow(0, clock)).toBe(true);
  });

  it("is chosen by what the browser can play, the first choice first", () => {
    const sources = ["webm", "mp4"].map((media_type) => ({ media_type, url: media_type }));
    const can = (answers: Record<string, string>) => playable(sources, (type) => answers[type] ?? "").map(({ url }) => url);
    expect(can({ webm: "probably", mp4: "probably" })).toEqual(["webm", "mp4"]);
    expect(can({ webm: "maybe", mp4: "probably" })).toEqual(["mp4", "webm"]);
    expect(can({ mp4: "maybe" })).toEqual(["mp4"]);
    expect(can({})).toEqual([]);
  });
});

describe("playback", () => {
  const playback = () => new Playback(new Clock(TIMING), new Orbit(), 2);

  it("steps by whole frames, stands, and goes round", () => {
    const one = playback();
    one.clock.seek(3.4);
    one.step(1);
    expect([one.clock.frame, one.clock.playing]).toEqual([4, false]);
    one.clock.seek(3.4);
    one.step(-1);
    expect(one.clock.frame).toBe(3);
    one.clock.seek(0);
    one.step(-1);
    expect(one.clock.frame).toBe(19);
    one.step(1);
    expect(one.clock.frame).toBe(0);
  });
});
