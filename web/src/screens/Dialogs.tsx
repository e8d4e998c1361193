/** The teaching screen's dialogs: instructions, keys, finish. */

import { useState } from "preact/hooks";

import { signedOut } from "../app";
import { api } from "../api";
import { HELP } from "../keys";
import { Markdown } from "../markdown";
import type { Experiment } from "../types";
import { Modal } from "./Modal";

interface Props {
  experiment: Experiment;
  close: () => void;
}

const seenKey = (experiment: Experiment) => `rlt-instructions/${experiment.id}`;

/** Whether exactly these instructions have been closed in this browser before. */
export function instructionsSeen(experiment: Experiment): boolean {
  try {
    return localStorage.getItem(seenKey(experiment)) === experiment.instructions;
  } catch {
    return false;
  }
}

function remember(experiment: Experiment): void {
  try {
    localStorage.setItem(seenKey(experiment), experiment.instructions);
  } catch {
    // No storage: they are shown again next time.
  }
}

export function Instructions({ experiment, close }: Props) {
  const done = () => {
    remember(experiment);
    close();
  };
  const text = experiment.instructions.trim() || "This experiment has no instructions.";
  return (
    <Modal title="What to teach" close={done} closeKeys={["h"]}>
      <Markdown text={text} />
      <p class="soft">
        Choose the clip that does it better with <kbd>←</kbd> and <kbd>→</kbd>. Key <kbd>H</kbd> brings this back.
      </p>
      <div class="row">
        <button type="button" class="primary" onClick={done} autofocus>
          Start
        </button>
      </div>
    </Modal>
  );
}

export function Keys({ close }: { close: () => void }) {
  return (
    <Modal title="Keys" close={close} closeKeys={["?"]}>
      <table class="keys">
        <tbody>
          {HELP.map(([keys, meaning]) => (
            <tr key={keys}>
              <th scope="row">
                <kbd>{keys}</kbd>
              </th>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="soft">Drag a clip to look from another side, turn the wheel to come nearer, double-click to go back.</p>
      <div class="row">
        <button type="button" class="primary" onClick={close} autofocus>
          Close
        </button>
      </div>
    </Modal>
  );
}

export function Finish({ experiment, close }: Props) {
  const [state, setState] = useState<"ask" | "sending" | "sent">("ask");
  const [problem, setProblem] = useState("");
  const finish = async () => {
    setState("sending");
    try {
      await api.job(experiment.id, "finish");
      setState("sent");
    } catch (error) {
      if (!signedOut(error)) setProblem((error as Error).message);
      setState("ask");
    }
  };
  const sent = state === "sent";
  return (
    <Modal title={sent ? "Finishing" : "Finish teaching?"} close={close}>
      {sent ? (
        <p>The trainer has been told. It saves the agent, makes a last replay and ends.</p>
      ) : (
        <p>The trainer ends its work on “{experiment.name}”, saves the agent and shows it. Every answer is kept.</p>
      )}
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      <div class="row">
        {!sent && (
          <button type="button" class="primary" disabled={state === "sending"} onClick={() => void finish()}>
            Finish now
          </button>
        )}
        <button type="button" onClick={close} autofocus>
          {sent ? "Close" : "Go on teaching"}
        </button>
      </div>
    </Modal>
  );
}
