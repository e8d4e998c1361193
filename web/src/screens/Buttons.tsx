/** The answers as buttons, with their keys printed on them, and the row that steers the clips. */

import type { ComponentChildren } from "preact";

import { factorText } from "../player/clock";
import type { Playback } from "../player/playback";
import type { Teaching } from "../teaching";

const ANSWERS = [
  { area: "much-left", verdict: "LEFT", strength: "MUCH", text: "Much better", name: "Left is much better", key: "⇧ ←", shortcut: "Shift+ArrowLeft" },
  { area: "left", verdict: "LEFT", strength: "PLAIN", text: "Left is better", name: "Left is better", key: "←", shortcut: "ArrowLeft" },
  { area: "tie", verdict: "TIE", strength: "PLAIN", text: "Equally good", name: "Equally good", key: "↑", shortcut: "ArrowUp" },
  { area: "abstain", verdict: "ABSTAIN", strength: "PLAIN", text: "Can't tell", name: "Can't tell", key: "↓", shortcut: "ArrowDown" },
  { area: "right", verdict: "RIGHT", strength: "PLAIN", text: "Right is better", name: "Right is better", key: "→", shortcut: "ArrowRight" },
  { area: "much-right", verdict: "RIGHT", strength: "MUCH", text: "Much better", name: "Right is much better", key: "⇧ →", shortcut: "Shift+ArrowRight" },
] as const;

export function AnswerButtons({ teaching }: { teaching: Teaching }) {
  return (
    <div class="answers" role="group" aria-label="Your answer">
      {ANSWERS.map(({ area, verdict, strength, text, name, key, shortcut }) => (
        <button
          type="button"
          key={area}
          class={`answer ${area}`}
          aria-label={name}
          aria-keyshortcuts={shortcut}
          onClick={(event) => {
            letGoOfFocus(event);
            teaching.answer({ do: "answer", verdict, strength, key: "tap" });
          }}
        >
          <kbd>{key}</kbd>
          <span>{text}</span>
        </button>
      ))}
    </div>
  );
}

/** After a click with the mouse, Space must pause and not press the same button again. */
function letGoOfFocus(event: MouseEvent): void {
  if (event.detail > 0) (event.currentTarget as HTMLElement).blur();
}

interface Props {
  teaching: Teaching;
  playback: Playback;
  realTime: boolean;
  setRealTime: (on: boolean) => void;
  open: (what: "instructions" | "keys") => void;
}

export function PlayBar({ teaching, playback, realTime, setRealTime, open }: Props) {
  void playback.changed.value;
  const { clock } = playback;
  const n = teaching.undoable.value;
  const shortcut = realTime ? "slower" : "real time";
  return (
    <div class="playbar" role="group" aria-label="Playback">
      <Tool press={() => teaching.undo("tap")} keys="Bksp" shortcut="Backspace" off={n === 0}>
        Undo
      </Tool>
      <Tool press={() => playback.set((c) => (c.playing = !c.playing))} keys="Space" shortcut="Space">
        {clock.playing ? "Pause" : "Play"}
      </Tool>
      <Tool press={() => setRealTime(!realTime)} keys="T" shortcut="T" name={`Show ${shortcut}`} pressed={realTime}>
        <span data-testid="speed">{factorText(clock.life)}</span>
      </Tool>
      <span class="space" />
      <Tool press={() => open("instructions")} keys="H" shortcut="H">
        Instructions
      </Tool>
      <Tool press={() => open("keys")} keys="?" shortcut="?">
        Keys
      </Tool>
    </div>
  );
}

interface ToolProps {
  press: () => void;
  keys: string;
  shortcut: string;
  name?: string;
  off?: boolean;
  pressed?: boolean;
  children: ComponentChildren;
}

export function Tool({ press, keys, shortcut, name, off = false, pressed, children }: ToolProps) {
  const onClick = (event: MouseEvent) => {
    letGoOfFocus(event);
    press();
  };
  return (
    <button type="button" class="tool" title={name} aria-keyshortcuts={shortcut} aria-pressed={pressed} disabled={off} onClick={onClick}>
      {children} <kbd>{keys}</kbd>
    </button>
  );
}
