/** A clip on the page: a canvas for poses, a video element for video, one sentence where neither can be shown. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Engine } from "./engine";
import { filming, loadFilm } from "./films";
import { engineLost, theEngine } from "./load";
import { everyFrame } from "./loop";
import type { Playback } from "./playback";
import type { Clip, PoseClip, VideoClip } from "./poses";
import { Follower } from "./video";

interface Props<C extends Clip = Clip> {
  clip: C;
  playback: Playback;
  /** For screen readers. */
  name: string;
  /** Whether dragging turns the camera. */
  turns?: boolean;
}

export function ClipView({ clip, ...rest }: Props) {
  if (clip.kind === "video") return <VideoView clip={clip} {...rest} />;
  return <PoseView clip={clip} {...rest} />;
}

/** Let a playback run while the component is on the page. */
export function useRunning(playback: Playback | null): void {
  useLayoutEffect(() => {
    if (!playback) return;
    let engine: Engine | null = null;
    void theEngine().then((found) => (engine = found));
    return everyFrame((seconds) => playback.tick(seconds, engine?.slow ?? false));
  }, [playback]);
}

function PoseView({ clip, playback, name, turns = true }: Props<PoseClip>) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [engine, setEngine] = useState<Engine | null | undefined>(undefined);
  useEffect(() => void theEngine().then(setEngine), [engineLost.value]);
  useLayoutEffect(() => {
    if (engine && canvas.current) return attach(canvas.current, engine, clip, playback);
    return undefined;
  }, [engine, clip, playback]);
  useLayoutEffect(() => (turns && canvas.current ? turning(canvas.current, playback) : undefined), [turns, playback, engine]);
  if (engine === null) return <FilmOf clip={clip} playback={playback} name={name} />;
  return <canvas ref={canvas} class={turns ? "clip turns" : "clip"} role="img" aria-label={name} />;
}

/** Poses that can be drawn no more: a film takes their place as soon as there is one. */
function FilmOf({ clip, playback, name }: Props<PoseClip>) {
  const [film, setFilm] = useState<VideoClip | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    loadFilm(clip.ref).then(setFilm, (error: Error) => setProblem(error.message));
  }, [clip]);
  if (film) return <VideoView clip={film} playback={playback} name={name} />;
  return <p class="clip notice" role="alert">{problem || filming.value || "The video of this clip is being fetched …"}</p>;
}

/** Draw the clip whenever what should be seen has changed. */
function attach(canvas: HTMLCanvasElement, engine: Engine, clip: PoseClip, playback: Playback): () => void {
  const paint = canvas.getContext("2d", { alpha: false })!;
  let shown = "";
  let onScreen = true;
  const watch = new IntersectionObserver(([entry]) => (onScreen = entry?.isIntersecting ?? true));
  watch.observe(canvas);
  const draw = (frame: number): boolean => {
    fit(canvas, engine);
    const { azimuth, elevation, zoom } = playback.orbit;
    const wanted = `${frame}/${azimuth}/${elevation}/${zoom}/${canvas.width}x${canvas.height}`;
    if (wanted === shown) return true;
    if (!engine.draw(clip, frame, playback.orbit, paint)) return false;
    shown = wanted;
    return true;
  };
  const remove = playback.add({ draw, visible: () => onScreen && canvas.clientWidth > 0 });
  return () => {
    remove();
    watch.disconnect();
  };
}

/** As many pixels as the canvas has on the screen. */
function fit(canvas: HTMLCanvasElement, engine: Engine): void {
  const ratio = engine.ratio(canvas.clientWidth, canvas.clientHeight);
  const width = Math.max(16, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(16, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
}

/** Drag turns, the wheel comes nearer, a double click goes back. */
function turning(canvas: HTMLCanvasElement, { orbit }: Playback): () => void {
  const move = (event: PointerEvent) => {
    if (canvas.hasPointerCapture(event.pointerId)) orbit.drag(event.movementX, event.movementY);
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    orbit.scale(Math.exp(event.deltaY * 0.001));
  };
  const stop = new AbortController();
  const { signal } = stop;
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId), { signal });
  canvas.addEventListener("pointermove", move, { signal });
  canvas.addEventListener("wheel", wheel, { signal, passive: false });
  canvas.addEventListener("dblclick", () => orbit.reset(), { signal });
  return () => stop.abort();
}

function VideoView({ clip, playback, name }: Props<VideoClip>) {
  const video = useRef<HTMLVideoElement>(null);
  useLayoutEffect(() => {
    const element = video.current!;
    const follower = new Follower(element, clip.ref);
    const remove = playback.add({ draw: (frame, clock) => follower.follow(frame, clock), visible: () => true });
    return () => {
      remove();
      element.pause();
    };
  }, [clip, playback]);
  return <video key={clip.src} ref={video} class="clip" src={clip.src} aria-label={name} muted playsInline preload="auto" />;
}
