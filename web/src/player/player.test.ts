import { describe, expect, it } from "vitest";

import type { ClipRef, SceneData } from "../types";
import { forward } from "./camera";
import { Clock, factor, factorText, HOLD_S, nextSpeed, SPEEDS } from "./clock";
import { cellOf, groundSize } from "./geometry";
import { between, cameraTargets, decode, smooth } from "./poses";

const geom = { type: "sphere", size: [1, 0, 0], rgba: [1, 1, 1, 1], body: 0, name: "g", mesh: null } as const;
const scene = (axis: "x" | "xy" | "none"): SceneData => ({
  version: 1, env_id: "t", geoms: [geom, geom] as unknown as SceneData["geoms"], follow: { axis }, floor: true, track: [1],
  camera: { distance: 3, azimuth: 90, elevation: -10, lookat: [9, 8, 7] },
});
const ref: ClipRef = { clip_id: "c", kind: "poses", n_frames: 3, fps: 15, dt: 0.02, media_type: "", url: "/c", scene_url: "/s", sources: [] };

/** Geom 1 stands at (frame, 10 · frame, 5), geom 0 far away. */
function poses(): Float32Array {
  const rows = [0, 1, 2].flatMap((frame) => [100, 100, 100, 1, 0, 0, 0, frame, 10 * frame, 5, 1, 0, 0, 0]);
  return new Float32Array(rows);
}

describe("poses", () => {
  it("decodes what fits and refuses what does not, with both numbers", () => {
    const clip = decode(ref, scene("x"), poses().buffer as ArrayBuffer);
    expect([clip.nFrames, clip.nGeoms, clip.data.length]).toEqual([3, 2, 42]);
    expect(() => decode({ ...ref, n_frames: 4 }, scene("x"), poses().buffer as ArrayBuffer)).toThrow(/168 bytes.*224/);
  });

  it("follows the tracked geoms along the followed axes only", () => {
    expect([...cameraTargets(poses(), 3, scene("x"))]).toEqual([0, 8, 7, 1, 8, 7, 2, 8, 7]);
    expect([...cameraTargets(poses(), 3, scene("xy"))]).toEqual([0, 0, 7, 1, 10, 7, 2, 20, 7]);
    expect([...cameraTargets(poses(), 3, scene("none"))]).toEqual([9, 8, 7, 9, 8, 7, 9, 8, 7]);
  });

  it("smooths without lag and keeps the ends", () => {
    expect(smooth([0, 1, 2, 3, 4, 5, 6])).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const shaken = smooth([0, 9, 0, 9, 0, 9, 0, 9, 0]);
    expect(shaken[0]).toBe(0);
    expect(Math.max(...shaken)).toBeLessThan(9);
  });

  it("finds the frames around a moment and stays in the clip", () => {
    expect(between(1.25, 3)).toEqual([1, 2, 0.25]);
    expect(between(99, 3)).toEqual([2, 2, 0]);
    expect(between(-1, 3)).toEqual([0, 1, 0]);
  });
});

describe("clock", () => {
  it("plays at the clip's frames per second, holds at the end and starts again", () => {
    const clock = new Clock({ nFrames: 4, fps: 10, dt: 0.02 });
    clock.advance(0.1);
    expect(clock.frame).toBeCloseTo(1);
    clock.advance(0.21);
    expect(clock.frame).toBe(3);
    clock.advance(HOLD_S / 2);
    expect(clock.frame).toBe(3);
    clock.advance(HOLD_S);
    expect(clock.frame).toBe(0);
  });

  it("stands while paused and never jumps after a sleep", () => {
    const clock = new Clock({ nFrames: 100, fps: 10, dt: 0.02 });
    clock.playing = false;
    clock.advance(1);
    expect(clock.frame).toBe(0);
    clock.playing = true;
    clock.advance(3600);
    expect(clock.frame).toBeLessThan(5);
  });

  it("steps whole frames, round the ends, and stands still", () => {
    const clock = new Clock({ nFrames: 4, fps: 10, dt: 0.02 });
    clock.seek(1.4);
    const frames = [1, 1, 1, -1, -1].map((by) => (clock.step(by as 1 | -1), clock.frame));
    expect(frames).toEqual([2, 3, 0, 3, 2]);
    clock.seek(1.4);
    clock.step(-1);
    expect(clock.frame).toBe(1);
    clock.advance(5);
    expect(clock.frame).toBe(1);
    const still = new Clock({ nFrames: 1, fps: 10, dt: 0.02 });
    still.step(1);
    expect(still.frame).toBe(0);
  });

  it("goes from a quarter to twice the speed, and no further", () => {
    const up = SPEEDS.map((speed) => nextSpeed(speed, 1));
    expect(up).toEqual([...SPEEDS.slice(1), 2]);
    expect(SPEEDS.map((speed) => nextSpeed(speed, -1))).toEqual([0.25, ...SPEEDS.slice(0, -1)]);
    expect([nextSpeed(0.6, 1), nextSpeed(0.6, -1)]).toEqual([0.75, 0.5]);
  });

  it("says how its speed compares with life", () => {
    const timing = { nFrames: 4, fps: 10, dt: 0.02 };
    expect(factor(timing)).toBeCloseTo(0.2);
    expect(factorText(0.2)).toBe("5.0× slower than life");
    expect(factorText(1.01)).toBe("real time");
    expect(factorText(2)).toBe("2.0× faster than life");
    const clock = new Clock(timing);
    clock.realTime = true;
    expect(clock.rate).toBeCloseTo(50);
    expect(clock.life).toBeCloseTo(1);
  });
});

describe("view", () => {
  it("looks along MuJoCo's azimuth and elevation", () => {
    const [x, y, z] = forward(90, 0);
    expect([x, y, z].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([0, 1, 0]);
    expect(forward(0, -90)[2]).toBeCloseTo(-1);
  });

  it("draws round squares and endless grounds", () => {
    expect([cellOf(3.2), cellOf(0.85), cellOf(7)]).toEqual([0.5, 0.1, 1]);
    const plane = (a: number, b: number) => ({ ...geom, type: "plane", size: [a, b, 1] }) as unknown as SceneData["geoms"][0];
    expect(groundSize(plane(0, 0), 3).endless).toBe(true);
    expect(groundSize(plane(20, 20), 3).endless).toBe(true);
    expect(groundSize(plane(1, 1), 0.85)).toEqual({ endless: false, hx: 1, hy: 1 });
  });
});
