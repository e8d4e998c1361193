/** The typed client of the server. Every refusal becomes an ApiError, every broken connection an OfflineError. */

import type { Curves, InsightKind, InsightOut } from "./insight/types";
import type {
  AnswerFilter, Claim, ClipRef, Experiment, Invite, InviteMade, LabelOut, LabelRow, People, Render, RunPage, Saved, Session,
  Settings, Verdict,
} from "./types";

const BASE = "/api/v1";
const TIMEOUT_MS = 10_000;
const AWAY = "The server does not answer just now.";

/** The server answered, and refused. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** False where something else answered in the server's place: a proxy, a hotel's sign-in page. */
    readonly ours = true,
  ) {
    super(message);
  }

  /** Whether the same request may do better later. */
  get passing(): boolean {
    return !this.ours || this.status >= 500 || this.status === 408 || this.status === 429;
  }
}

/** No answer came: the server is away or the network is. */
export class OfflineError extends Error {}

async function request<T>(method: string, path: string, body?: unknown, keepalive = false): Promise<T> {
  const response = await send(method, path, body, keepalive);
  if (!response.ok) throw await refusal(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

async function send(method: string, path: string, body: unknown, keepalive: boolean): Promise<Response> {
  const init: RequestInit = { method, credentials: "same-origin", keepalive, cache: "no-store" };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  if (!keepalive) init.signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(BASE + path, init);
  } catch (cause) {
    throw new OfflineError(AWAY, { cause });
  }
}

async function refusal(response: Response): Promise<ApiError> {
  let code = "error";
  let message = `The server refused with status ${response.status}.`;
  let ours = false;
  try {
    const body = await response.json();
    ours = typeof body?.error?.code === "string";
    code = body?.error?.code ?? code;
    message = body?.error?.message ?? message;
  } catch {
    // A proxy's page instead of our JSON: the status has to do.
  }
  return new ApiError(response.status, code, message, ours);
}

const id = encodeURIComponent;

export const api = {
  signIn: (token: string, name?: string) => request<void>("POST", "/session", { token, name }),
  session: () => request<Session>("GET", "/session"),
  experiments: async () => (await request<{ experiments: Experiment[] }>("GET", "/experiments")).experiments,
  experiment: (experiment: string) => request<Experiment>("GET", `/experiments/${id(experiment)}`),
  claim: async (experiment: string, n: number) =>
    (await request<{ queries: Claim[] }>("POST", `/experiments/${id(experiment)}/claim`, { n })).queries,
  label: (label: LabelOut) => request<Saved>("POST", "/labels", label),
  clip: (clip: string, experiment: string) => request<ClipRef>("GET", `/experiments/${id(experiment)}/clips/${id(clip)}`),
  release: (lease: string) => request<void>("POST", `/leases/${id(lease)}/release`, {}, true),
  heartbeat: (leases: string[]) => request<{ leases: { lease: string }[] }>("POST", "/leases/heartbeat", { leases }),
  labels: async (experiment: string, before: number | null, limit: number, only: Partial<AnswerFilter> = {}) => {
    const query = new URLSearchParams({ limit: String(limit) });
    if (before !== null) query.set("before", String(before));
    for (const [name, value] of Object.entries(only)) if (value) query.set(name, String(value));
    return (await request<{ labels: LabelRow[] }>("GET", `/experiments/${id(experiment)}/labels?${query}`)).labels;
  },
  edit: (experiment: string, settings: Settings) =>
    request<Experiment>("PATCH", `/experiments/${id(experiment)}`, settings),
  people: (experiment: string) => request<People>("GET", `/experiments/${id(experiment)}/people`),
  correct: (body: { id: string; query_id: string; verdict: Verdict }) => request<Saved>("POST", "/corrections", body),
  gold: (query: string, verdict: Verdict | null) =>
    request<{ verdict: Verdict | null }>("PUT", `/queries/${id(query)}/gold`, { verdict }),
  exportUrl: (experiment: string, format: "jsonl" | "csv") =>
    `${BASE}/experiments/${id(experiment)}/export?format=${format}`,
  invite: (experiment: string | null, days: number) =>
    request<InviteMade>("POST", "/invites", { experiment_id: experiment, days }),
  invites: async () => (await request<{ invites: Invite[] }>("GET", "/invites")).invites,
  endInvite: (invite: string) => request<{ ended: true }>("POST", `/invites/${id(invite)}/end`, {}),
  job: (experiment: string, kind: "finish" | "pause" | "resume") =>
    request<{ job_id: string }>("POST", `/experiments/${id(experiment)}/jobs`, { kind, args: {} }),
  ask: (experiment: string, question: { kind: InsightKind; query_id?: string; run?: string }) =>
    request<{ job_id: string }>("POST", `/experiments/${id(experiment)}/insight`, question),
  insight: (job: string) => request<InsightOut>("GET", `/insight/${id(job)}`),
  curves: (experiment: string, run: string) =>
    request<Curves>("GET", `/experiments/${id(experiment)}/curves?run=${id(run)}`),
  render: (clip: string) => request<Render>("POST", `/clips/${id(clip)}/render`, {}),
  run: (name: string) => request<RunPage>("GET", `/runs/${id(name)}`),
};

/** Bytes of a blob; the browser keeps them, for they never change. */
export async function blob(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(30_000) });
  } catch (cause) {
    throw new OfflineError(AWAY, { cause });
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

