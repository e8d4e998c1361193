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
  /** Those of them that express a preference, which "can't tell" does not: they count towards what is wanted. */
  decided: number;
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
  progress: Record<string, number | null | undefined> & {
    /** Why somebody should look at the agent, while there is a reason. */
    alarm?: string;
  };
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
  answers_per_pair: number;
  /** Null for labellers, who are not to know. */
  checks: Checks | null;
}

/** How people are tested, and whether it matters what comes of it. */
export interface Checks {
  repeat_rate: number;
  gold_rate: number;
  trust: boolean;
}

/** What can be changed of an experiment; what is left out stays. */
export type Settings = Partial<
  Pick<Experiment, "status" | "instructions" | "wanted" | "answers_per_pair"> & Checks
>;

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
  run: string;
  /** Labellers are told of questions only. */
  kind: "question" | "repeat" | "gold";
  /** A researcher's correction. */
  overrules: boolean;
  /** The answer expected of the pair. */
  gold: Verdict | null;
  left: ClipRef;
  right: ClipRef;
}

/** Which answers to list; what is empty does not matter. */
export interface AnswerFilter {
  labeller: string;
  verdict: Verdict | "";
  run: string;
  why: string;
  disputed: boolean;
  kind: LabelRow["kind"] | "";
}

/** Figures of one person (docs/people.md); null where there is too little to say. */
export interface Person {
  labeller_id: string;
  name: string;
  n_answers: number;
  last_at: number;
  per_minute: number | null;
  median_seconds: number | null;
  n_repeats: number;
  consistency: number | null;
  n_golds: number;
  gold_accuracy: number | null;
  n_shared: number;
  alpha: number | null;
  n_sided: number;
  screen_left: number | null;
  screen_left_interval: [number, number];
  wrong_share: number;
}

export interface People {
  people: Person[];
  alpha: number | null;
}

export interface Invite {
  id: string;
  experiment_id: string | null;
  created_at: number;
  expires_at: number | null;
  n_people: number;
}

/** A link that is shown once, and its picture for phones. */
export interface InviteMade {
  invite: Invite;
  url: string;
  qr_svg: string;
  /** Only this computer can open it. */
  local: boolean;
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
