/** The typed client of the server. Every refusal becomes an ApiError, every broken connection an OfflineError. */

import type { Claim, Experiment, LabelOut, LabelRow, Render, RunPage, Saved, Session } from "./types";

const BASE = "/api/v1";
const TIMEOUT_MS = 10_000;

/** The server answered, and refused. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  /** Whether the same request may do better later. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 408 || this.status === 429;
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
    throw new OfflineError(`no answer from the server (${method} ${path})`, { cause });
  }
}

async function refusal(response: Response): Promise<ApiError> {
  let code = "error";
  let message = `The server refused with status ${response.status}.`;
  try {
    const body = await response.json();
    code = body?.error?.code ?? code;
    message = body?.error?.message ?? message;
  } catch {
    // A proxy's page instead of our JSON: the status has to do.
  }
  return new ApiError(response.status, code, message);
}

const id = encodeURIComponent;

export const api = {
  signIn: (token: string) => request<void>("POST", "/session", { token }),
  session: () => request<Session>("GET", "/session"),
  experiments: async () => (await request<{ experiments: Experiment[] }>("GET", "/experiments")).experiments,
  experiment: (experiment: string) => request<Experiment>("GET", `/experiments/${id(experiment)}`),
  claim: async (experiment: string, n: number) =>
    (await request<{ queries: Claim[] }>("POST", `/experiments/${id(experiment)}/claim`, { n })).queries,
  label: (label: LabelOut) => request<Saved>("POST", "/labels", label),
  release: (lease: string) => request<void>("POST", `/leases/${id(lease)}/release`, {}, true),
  heartbeat: (leases: string[]) => request<{ leases: { lease: string }[] }>("POST", "/leases/heartbeat", { leases }),
  labels: async (experiment: string, before: number | null, limit: number) => {
    const from = before === null ? "" : `before=${before}&`;
    return (await request<{ labels: LabelRow[] }>("GET", `/experiments/${id(experiment)}/labels?${from}limit=${limit}`))
      .labels;
  },
  job: (experiment: string, kind: "finish" | "pause" | "resume") =>
    request<{ job_id: string }>("POST", `/experiments/${id(experiment)}/jobs`, { kind, args: {} }),
  render: (clip: string) => request<Render>("POST", `/clips/${id(clip)}/render`, {}),
  run: (name: string) => request<RunPage>("GET", `/runs/${id(name)}`),
};

/** Bytes of a blob; the browser keeps them, for they never change. */
export async function blob(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(30_000) });
  } catch (cause) {
    throw new OfflineError(`no answer from the server (${url})`, { cause });
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

