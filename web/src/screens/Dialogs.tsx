/** The teaching screen's dialogs: instructions and finish. */

import { useState } from "preact/hooks";

import { signedOut } from "../app";
import { api } from "../api";
import { keyLabel } from "../keys";
import { keymap } from "../keymap";
import { Markdown } from "../markdown";
import type { Experiment } from "../types";
import { Example } from "./Example";
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
  const { left, right, instructions } = keymap.value;
  return (
    <Modal
      title="What to teach"
      close={done}
      opener="instructions"
      actions={<button type="button" class="primary" onClick={done} autofocus>Start</button>}
    >
      <Markdown text={text} clip={(id, words) => <Example key={id} id={id} words={words} experiment={experiment.id} />} />
      <p class="soft">
        Choose the clip that does it better with <kbd>{keyLabel(left)}</kbd> and <kbd>{keyLabel(right)}</kbd>
        <span class="touch-only">, or swipe towards it</span>. <kbd>{keyLabel(instructions)}</kbd> brings this back.
      </p>
    </Modal>
  );
}

export function Finish({ experiment, close, told }: Props & { told?: () => void }) {
  const [state, setState] = useState<"ask" | "sending" | "sent">("ask");
  const [problem, setProblem] = useState("");
  const finish = async () => {
    setState("sending");
    try {
      await api.job(experiment.id, "finish");
      setState("sent");
      told?.();
    } catch (error) {
      if (!signedOut(error)) setProblem((error as Error).message);
      setState("ask");
    }
  };
  const sent = state === "sent";
  const actions = (
    <>
      {!sent && (
        <button type="button" class="primary" disabled={state === "sending"} onClick={() => void finish()}>
          Finish now
        </button>
      )}
      <button type="button" onClick={close} autofocus>{sent ? "Close" : "Go on teaching"}</button>
    </>
  );
  return (
    <Modal title={sent ? "Finishing" : "Finish teaching?"} close={close} actions={actions}>
      {sent ? (
        <p>The trainer has been told. It saves the agent, makes a last replay and ends.</p>
      ) : (
        <p>The trainer ends its work on “{experiment.name}”, saves the agent and shows it. Every answer is kept.</p>
      )}
      {problem && <p class="notice bad" role="alert">{problem}</p>}
    </Modal>
  );
}
