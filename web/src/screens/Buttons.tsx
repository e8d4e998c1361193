/** The answers as buttons, with their keys printed on them, and the row that steers the clips. */

import type { ComponentChildren } from "preact";

import { shortText } from "../format";
import { ACTIONS, type Action, keyLabel, type Name, shortcutOf } from "../keys";
import { keymap } from "../keymap";
import { factorText } from "../player/clock";
import type { Playback } from "../player/playback";
import type { Teaching } from "../teaching";
import type { Pace } from "./useTeaching";

type Tap = (wish: Action) => void;

const ANSWERS = ["left", "tie", "abstain", "right"] as const;
/** Where each step lies, and what is written on it: a scale, and not the same buttons again. */
const SCALE: readonly [Name, string, string][] = [
  ["scale1", "much", "left"],
  ["scale2", "better", "left"],
  ["scale3", "slightly", "left"],
  ["scale4", "even", ""],
  ["scale5", "slightly", "right"],
  ["scale6", "better", "right"],
  ["scale7", "much", "right"],
];

/** What pressing the button of an action means. */
function meaning(name: Name): Action {
  const { means } = ACTIONS[name];
  return means.do === "answer" ? { ...means, key: "tap" } : means;
}

export function AnswerButtons({ tap }: { tap: Tap }) {
  const keys = keymap.value;
  return (
    <div class="answers" role="group" aria-label="Your answer" onKeyDown={noHeldEnter}>
      {ANSWERS.map((name) => (
        <button type="button" key={name} class={`answer ${name}`} aria-keyshortcuts={shortcutOf(keys[name])} onClick={(event) => pressed(event, tap, name)}>
          <kbd aria-hidden="true">{keyLabel(keys[name])}</kbd>
          <span>{ACTIONS[name].text}</span>
        </button>
      ))}
    </div>
  );
}

/** From "left, much" to "right, much" in seven steps. */
export function Scale({ tap }: { tap: Tap }) {
  const keys = keymap.value;
  return (
    <div class="scale" role="group" aria-label="Or by how much" onKeyDown={noHeldEnter}>
      {SCALE.map(([name, word, side]) => (
        <button type="button" key={name} title={ACTIONS[name].text} aria-keyshortcuts={shortcutOf(keys[name])} onClick={(event) => pressed(event, tap, name)}>
          <b>{keyLabel(keys[name])}</b> <small>{word}</small> <span class="sr-only">{side}</span>
        </button>
      ))}
    </div>
  );
}

function pressed(event: MouseEvent, tap: Tap, name: Name): void {
  letGoOfFocus(event);
  tap(meaning(name));
}

/** Enter held on a button would press it again and again. */
function noHeldEnter(event: KeyboardEvent): void {
  if (event.repeat && event.key === "Enter") event.preventDefault();
}

/** After a click with the mouse, Space must pause and not press the same button again. */
function letGoOfFocus(event: MouseEvent): void {
  if (event.detail > 0) (event.currentTarget as HTMLElement).blur();
}

interface Props {
  teaching: Teaching;
  /** Null while there is no pair. */
  playback: Playback | null;
  pace: Pace;
  tap: Tap;
  /** Further tools, before those that help. */
  children?: ComponentChildren;
}

export function PlayBar({ teaching, playback, pace, tap, children }: Props) {
  const last = teaching.last.value;
  return (
    <div class="playbar" role="group" aria-label="Undo, playback, help">
      <KeyTool tap={tap} action="undo" off={teaching.undoable.value === 0}>Undo</KeyTool>
      <span class="soft said-last" key={last?.n} aria-hidden="true">{last && shortText(last)}</span>
      {playback && <Steering playback={playback} pace={pace} tap={tap} />}
      <span class="helps">
        {children}
        <KeyTool tap={tap} action="instructions">Instructions</KeyTool>
        <KeyTool tap={tap} action="help">Keys</KeyTool>
      </span>
    </div>
  );
}

function Steering({ playback, pace: { realTime, speed }, tap }: { playback: Playback; pace: Pace; tap: Tap }) {
  void playback.changed.value;
  const { clock } = playback;
  const [factor, rest] = factorText(clock.life).split(/(?= than )/);
  return (
    <span class="steering">
      <KeyTool tap={tap} action="back" label="One frame back">‹</KeyTool>
      <KeyTool tap={tap} action="pause">{clock.playing ? "Pause" : "Play"}</KeyTool>
      <KeyTool tap={tap} action="forward" label="One frame on">›</KeyTool>
      <KeyTool tap={tap} action="slower" label="Slower">−</KeyTool>
      <output class="speed" aria-label="Speed" data-testid="factor">{speed}×</output>
      <KeyTool tap={tap} action="faster" label="Faster">+</KeyTool>
      <KeyTool tap={tap} action="realtime" pressed={realTime}>
        <span data-testid="speed">{factor}{rest && <span class="roomy">{rest}</span>}</span>
      </KeyTool>
    </span>
  );
}

interface KeyToolProps {
  action: Name;
  tap: Tap;
  /** Where the words on the button do not say it. */
  label?: string;
  off?: boolean;
  pressed?: boolean;
  children: ComponentChildren;
}

/** A button of an action, with the key this person has for it. */
function KeyTool({ action, tap, children, ...rest }: KeyToolProps) {
  const key = keymap.value[action];
  return (
    <Tool press={() => tap(meaning(action))} keys={keyLabel(key)} shortcut={shortcutOf(key)} name={ACTIONS[action].text} {...rest}>
      {children}
    </Tool>
  );
}

interface ToolProps {
  press: () => void;
  keys: string;
  shortcut: string;
  /** Shown by a mouse that rests on it. */
  name?: string;
  /** For screen readers, where the words on the button do not say it. */
  label?: string;
  off?: boolean;
  pressed?: boolean;
  children: ComponentChildren;
}

export function Tool({ press, keys, shortcut, name, label, off = false, pressed, children }: ToolProps) {
  const onClick = (event: MouseEvent) => {
    letGoOfFocus(event);
    press();
  };
  return (
    <button type="button" class="tool" title={name} aria-label={label} aria-keyshortcuts={shortcut} aria-pressed={pressed} disabled={off} onClick={onClick}>
      {children} <kbd aria-hidden="true">{keys}</kbd>
    </button>
  );
}
