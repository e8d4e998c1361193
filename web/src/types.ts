/** The contract with the server, as types: everything under /api/v1. */

export type Verdict = "LEFT" | "RIGHT" | "TIE" | "ABSTAIN" | "WITHDRAWN";
export type Strength = "SLIGHT" | "PLAIN" | "MUCH";
export type Role = "labeller" | "researcher" | "admin";

export interface Labeller {
  id: string;
  name: string;
}

export interface Session {
  role: Role;
  /** Null for a token that may look and not answer. */
  labeller: Labeller | null;
  experiment_id: string | null;
}

export interface Counts {
  asked: number;
  open: number;
  answered: number;
  left: number;
  right: number;
  tie: number;
  abstain: number;
}

/** What the trainer says of itself; figures in `progress` may be missing. */
export interface Run {
  id: string;
  name: string;
  /** Only "human" has questions for people. */
  predictor: string;
  status: "training" | "waiting" | "stopped" | "finished" | "failed";
  message: string;
  progress: Record<string, number | null | undefined>;
  heartbeat_at: number | null;
  alive: boolean;
}

export interface Experiment {
  id: string;
  name: string;
  env_id: string;
  status: "open" | "finished";
  wanted: number | null;
  instructions: string;
  counts: Counts;
  run: Run | null;
  answers_per_minute: number;
}

export interface ClipRef {
  clip_id: string;
  kind: "poses" | "video";
  n_frames: number;
  /** Frames per second at 1×. */
  fps: number;
  /** Simulated seconds per frame. */
  dt: number;
  media_type: string;
  url: string;
  scene_url: string | null;
  /** Films of it, the first choice first; of poses there is mostly none. */
  sources: Source[];
}

export interface Source {
  media_type: string;
  url: string;
}

/** Whether there is a film of a clip; `message` is a line for the person. */
export interface Render {
  state: "ready" | "making" | "waiting" | "failed";
  message: string;
  clip: ClipRef;
}

/** A query on loan to this page. `left` and `right` are the query's own sides; `swapped` says how to show them. */
export interface Claim {
  query_id: string;
  lease: string;
  lease_expires_at: number;
  swapped: boolean;
  left: ClipRef;
  right: ClipRef;
}

/** An answer as it is sent: always in terms of the query's own sides. */
export interface LabelOut {
  id: string;
  query_id: string;
  lease: string | null;
  verdict: Verdict;
  strength: Strength;
  seconds: number;
  key: string;
  swapped: boolean;
  renderer: string;
}

export interface Saved {
  seq: number;
  repeated: boolean;
  late: boolean;
  counts: Counts;
}

export interface LabelRow {
  seq: number;
  query_id: string;
  verdict: Verdict;
  strength: Strength;
  seconds: number;
  key: string;
  given_at: number;
  late: boolean;
  labeller: Labeller;
  superseded: boolean;
  why: string;
  step: number;
  left: ClipRef;
  right: ClipRef;
}

export interface Replay {
  step: number;
  true_return: number | null;
  created_at: number;
  clip: ClipRef;
}

export interface RunPage {
  run: Run;
  experiment: { id: string; name: string; env_id: string };
  replays: Replay[];
}

export type GeomType = "plane" | "sphere" | "capsule" | "ellipsoid" | "cylinder" | "box" | "mesh";

export interface Geom {
  type: GeomType;
  /** As MuJoCo has it: radius and half-lengths, metres. */
  size: [number, number, number];
  rgba: [number, number, number, number];
  body: number;
  name: string;
  mesh: { vertices: number[] | number[][]; faces: number[] | number[][] } | null;
}

/** The constant geometry of an environment. */
export interface SceneData {
  version: number;
  env_id: string;
  geoms: Geom[];
  follow: { axis: "x" | "xy" | "none" };
  camera: { distance: number; azimuth: number; elevation: number; lookat: [number, number, number] };
  floor: boolean;
  /** Geoms whose mean position the camera follows. */
  track: number[];
}
