/** Decoded clips: poses of every geom in every frame, and where the camera should look. No drawing here. */

import type { ClipRef, SceneData } from "../types";

/** x y z qw qx qy qz of one geom. */
export const STRIDE = 7;

export interface PoseClip {
  kind: "poses";
  ref: ClipRef;
  /** Shared by all clips of the same environment. */
  sceneKey: string;
  scene: SceneData;
  /** (n_frames, n_geoms, 7), row after row. */
  data: Float32Array;
  nFrames: number;
  nGeoms: number;
  /** (n_frames, 3): what the camera looks at. */
  targets: Float32Array;
}

export interface VideoClip {
  kind: "video";
  ref: ClipRef;
  /** An object URL of the fetched bytes. */
  src: string;
}

export type Clip = PoseClip | VideoClip;

/** Decode a poses blob. Throws where its length does not fit the clip, with both numbers. */
export function decode(ref: ClipRef, scene: SceneData, bytes: ArrayBuffer): PoseClip {
  const nGeoms = scene.geoms.length;
  const wanted = ref.n_frames * nGeoms * STRIDE * 4;
  if (bytes.byteLength !== wanted) {
    throw new Error(`clip has ${bytes.byteLength} bytes where ${ref.n_frames} frames × ${nGeoms} geoms need ${wanted}`);
  }
  const data = floats(bytes);
  const sceneKey = ref.scene_url ?? "";
  const targets = cameraTargets(data, ref.n_frames, scene);
  return { kind: "poses", ref, sceneKey, scene, data, nFrames: ref.n_frames, nGeoms, targets };
}

function floats(bytes: ArrayBuffer): Float32Array {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) return new Float32Array(bytes);
  const view = new DataView(bytes);
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

const SMOOTH = 4;

/** The followed point per frame: mean of the tracked geoms along the followed axes, smoothed so that it does not shake. */
export function cameraTargets(data: Float32Array, nFrames: number, scene: SceneData): Float32Array {
  const [lx, ly, lz] = scene.camera.lookat;
  const axes = scene.track.length === 0 || scene.follow.axis === "none" ? [] : scene.follow.axis === "x" ? [0] : [0, 1];
  const means = axes.map((axis) => smooth(trackMean(data, nFrames, scene, axis)));
  const targets = new Float32Array(nFrames * 3);
  for (let frame = 0; frame < nFrames; frame++) {
    targets[frame * 3] = means[0]?.[frame] ?? lx;
    targets[frame * 3 + 1] = means[1]?.[frame] ?? ly;
    targets[frame * 3 + 2] = lz;
  }
  return targets;
}

function trackMean(data: Float32Array, nFrames: number, scene: SceneData, axis: number): number[] {
  const row = scene.geoms.length * STRIDE;
  return Array.from({ length: nFrames }, (_, frame) => {
    let sum = 0;
    for (const geom of scene.track) sum += data[frame * row + geom * STRIDE + axis] ?? 0;
    return sum / scene.track.length;
  });
}

/** Centred moving average; at the ends the window shrinks evenly, so nothing lags. */
export function smooth(values: number[]): number[] {
  return values.map((_, i) => {
    const reach = Math.min(SMOOTH, i, values.length - 1 - i);
    let sum = 0;
    for (let j = i - reach; j <= i + reach; j++) sum += values[j]!;
    return sum / (2 * reach + 1);
  });
}

/** Two neighbouring frames and how far between them a moment lies; the last frame stays. */
export function between(frame: number, nFrames: number): [number, number, number] {
  const held = Math.min(Math.max(frame, 0), nFrames - 1);
  const low = Math.floor(held);
  return [low, Math.min(low + 1, nFrames - 1), held - low];
}

/** Goes with every answer: people judge a drawing, so the record says which one and its version. */
export function rendererOf(clip: { kind: Clip["kind"] }): string {
  return clip.kind === "poses" ? "poses-three/1" : "video/1";
}
