/** All keys, each of which may be changed: click it, press the new one. */

import { useState } from "preact/hooks";

import { ACTIONS, DEFAULT_KEYS, GROUPS, holder, keyLabel, keyOf, type Name, refusal, remapped } from "../keys";
import { choose, keymap } from "../keymap";
import { Modal } from "./Modal";

/** A key that is taken: what it would mean, and what it means now. */
interface Conflict {
  name: Name;
  key: string;
  other: Name;
}

export function KeysDialog({ close }: { close: () => void }) {
  const keys = keymap.value;
  const [listening, setListening] = useState<Name | null>(null);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [note, setNote] = useState("");
  const set = (name: Name, key: string) => {
    const stays = choose(remapped(keys, name, key));
    setConflict(null);
    setListening(null);
    setNote(`${keyLabel(key)} now means “${ACTIONS[name].text}”.${stays ? "" : " This browser forgets it with the page."}`);
  };
  const listen = (name: Name | null) => {
    setListening(name);
    setConflict(null);
    setNote("");
  };
  const onKey = (event: KeyboardEvent, name: Name) => {
    if (listening !== name) return;
    event.stopPropagation();
    if (event.key === "Tab") return;
    event.preventDefault();
    if (event.key === "Escape") return listen(null);
    const why = refusal(event, name);
    const other = holder(keys, name, keyOf(event));
    if (why !== null) setNote(why);
    else if (other) setConflict({ name, key: keyOf(event), other });
    else set(name, keyOf(event));
  };
  const changed = Object.entries(keys).some(([name, key]) => DEFAULT_KEYS[name as Name] !== key);
  const actions = (
    <>
      <p class="key-note" role="status">
        {conflict ? (
          <>
            {keyLabel(conflict.key)} already means “{ACTIONS[conflict.other].text}”.{" "}
            <button type="button" class="small" onClick={() => set(conflict.name, conflict.key)}>Swap the two</button>{" "}
            <button type="button" class="small" onClick={() => listen(null)}>Leave it</button>
          </>
        ) : note}
      </p>
      <button type="button" class="primary" onClick={close} autofocus>Close</button>
      <button type="button" disabled={!changed} onClick={() => (choose(DEFAULT_KEYS), listen(null), setNote("The usual keys are back."))}>
        Reset to the usual keys
      </button>
    </>
  );
  return (
    <Modal title="Keys" close={close} opener="help" wide actions={actions}>
      <p class="soft">Press a button here, then the key you would rather use. With Shift, the keys for left and right mean “much better”; Ctrl + Z (⌘ + Z) always undoes.</p>
      <div class="key-groups">
        {GROUPS.map(([title, names]) => (
          <section key={title} aria-label={title}>
            <h3>{title}</h3>
            <dl>
              {names.map((name) => (
                <div key={name}>
                  <dt>{ACTIONS[name].text}</dt>
                  <dd>
                    <button
                      type="button"
                      class="key"
                      aria-label={`${ACTIONS[name].text}: ${listening === name ? "press a key" : keyLabel(keys[name])}`}
                      aria-pressed={listening === name}
                      onClick={() => listen(listening === name ? null : name)}
                      onKeyDown={(event) => onKey(event, name)}
                      onBlur={() => listening === name && !conflict && listen(null)}
                    >
                      {listening === name ? "press a key" : keyLabel(keys[name])}
                    </button>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="soft">Drag a clip to look from another side, turn the wheel to come nearer, double-click to go back. On a touch screen one finger swipes an answer (up: equally good, down: can't tell) and two turn the clip.</p>
    </Modal>
  );
}
