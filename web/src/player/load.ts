/** Gets what a clip needs: the drawing engine (once, lazily), the scene (once per environment), the poses or a film. */

import { signal } from "@preact/signals";

import { blob } from "../api";
import type { ClipRef, SceneData } from "../types";
import type { Engine } from "./engine";
import { loadFilm } from "./films";
import { type Clip, decode } from "./poses";

let engine: Promise<Engine | null> | null = null;

/** Counts up when drawing has come to its end: then whoever draws asks for the engine again, and gets null. */
export const engineLost = signal(0);

/** The shared engine; null where the browser has no WebGL2, or has lost it for good. */
export function theEngine(): Promise<Engine | null> {
  engine ??= start();
  return engine;
}

function lost(): void {
  engine = Promise.resolve(null);
  engineLost.value += 1;
}

async function start(): Promise<Engine | null> {
  if (!hasWebGL2()) return null;
  const { Engine } = await import("./engine");
  try {
    return new Engine(lost);
  } catch (error) {
    console.warn("WebGL2 is there but does not start:", error);
    return null;
  }
}

function hasWebGL2(): boolean {
  const probe = document.createElement("canvas").getContext("webgl2");
  probe?.getExtension("WEBGL_lose_context")?.loseContext();
  return probe !== null;
}

const scenes = new Map<string, Promise<SceneData>>();
const clips = new Map<string, Promise<Clip>>();
const CLIPS_KEPT = 300;

/** Fetch and decode a clip; the last ones stay in memory. */
export function loadClip(ref: ClipRef): Promise<Clip> {
  const known = clips.get(ref.clip_id);
  if (known) return known;
  const loading = fetchClip(ref);
  clips.set(ref.clip_id, loading);
  loading.catch(() => clips.delete(ref.clip_id));
  if (clips.size > CLIPS_KEPT) forgetOldest();
  return loading;
}

async function fetchClip(ref: ClipRef): Promise<Clip> {
  if (ref.kind === "video" || (await theEngine()) === null) return loadFilm(ref);
  if (!ref.scene_url) throw new Error("this clip has poses but no scene to draw them in");
  const [scene, bytes] = await Promise.all([loadScene(ref.scene_url), blob(ref.url).then((r) => r.arrayBuffer())]);
  const clip = decode(ref, scene, bytes);
  (await theEngine())?.prepare(clip);
  return clip;
}

function loadScene(url: string): Promise<SceneData> {
  let scene = scenes.get(url);
  if (!scene) {
    scene = blob(url).then((response) => response.json() as Promise<SceneData>);
    scenes.set(url, scene);
    scene.catch(() => scenes.delete(url));
  }
  return scene;
}

function forgetOldest(): void {
  const [id] = clips.keys();
  const old = clips.get(id!);
  clips.delete(id!);
  void old?.then((clip) => clip.kind === "video" && URL.revokeObjectURL(clip.src)).catch(() => undefined);
}
