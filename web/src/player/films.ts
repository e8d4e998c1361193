/** Films of clips: the one this browser plays, and, for poses that cannot be drawn here, one that the trainer makes. */

import { signal } from "@preact/signals";

import { api, blob } from "../api";
import type { ClipRef, Source } from "../types";
import type { VideoClip } from "./poses";

/** What is to be said while films are being made for this browser, "" where nothing is. */
export const filming = signal("");

const ASK_AGAIN_MS = 1000;
/** Then whoever asked has left, or nobody makes it. */
const MOST_ASKED = 900;
const WHY = "This browser cannot draw clips (WebGL 2 is missing or switched off), so it gets videos of them.";
const waitingFor = new Map<string, string>();

/** The clip as a film. A clip of poses is asked of the trainer; the promise waits until it is there. */
export async function loadFilm(ref: ClipRef): Promise<VideoClip> {
  const sources = ref.sources.length > 0 ? ref.sources : await ask(ref.clip_id);
  let problem = new Error(`This browser plays none of ${sources.map((one) => one.media_type).join(", ")}.`);
  for (const source of playable(sources, canPlay)) {
    const src = URL.createObjectURL(await (await blob(source.url)).blob());
    try {
      await opens(src);
      return { kind: "video", ref, src };
    } catch (error) {
      URL.revokeObjectURL(src);
      problem = error as Error;
    }
  }
  throw problem;
}

/** Those sources that may be played, the likelier ones first, else in their own order. */
export function playable(sources: Source[], can: (type: string) => string): Source[] {
  const answers = sources.map((source) => ({ source, answer: can(source.media_type) }));
  const of = (wanted: string) => answers.filter(({ answer }) => answer === wanted).map(({ source }) => source);
  return [...of("probably"), ...of("maybe")];
}

function canPlay(type: string): string {
  return document.createElement("video").canPlayType(type);
}

/** Resolves when the browser has understood what film it is. */
function opens(src: string): Promise<void> {
  const video = document.createElement("video");
  return new Promise((resolve, reject) => {
    const done = (finish: () => void) => () => {
      video.removeAttribute("src");
      finish();
    };
    video.addEventListener("loadedmetadata", done(resolve), { once: true });
    video.addEventListener("error", done(() => reject(new Error("The video of this clip cannot be played here."))), { once: true });
    video.muted = true;
    video.preload = "auto";
    video.src = src;
  });
}

async function ask(clip: string): Promise<Source[]> {
  try {
    for (let asked = 0; asked < MOST_ASKED; asked++) {
      const { state, message, clip: ref } = await api.render(clip);
      if (state === "ready") return ref.sources;
      if (state === "failed") throw new Error(message);
      tell(clip, message);
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
    throw new Error("The video of this clip has not come. Load the page again to go on waiting.");
  } finally {
    tell(clip, "");
  }
}

function tell(clip: string, message: string): void {
  if (message) waitingFor.set(clip, message);
  else waitingFor.delete(clip);
  const [first] = waitingFor.values();
  filming.value = first ? `${WHY} ${first}` : "";
}
