/** Where an invitation leads: everybody who opens it says who they are, once. */

import { useState } from "preact/hooks";

import { enterAs } from "../app";
import { Shell } from "./Shell";

export function Welcome({ token, problem }: { token: string; problem: string }) {
  const [name, setName] = useState("");
  const [sending, setSending] = useState(false);
  const enter = async (event: Event) => {
    event.preventDefault();
    setSending(true);
    await enterAs(token, name.trim());
    setSending(false);
  };
  return (
    <Shell title="Welcome">
      <form class="quiet" onSubmit={(event) => void enter(event)}>
        <h2>Welcome! Who are you?</h2>
        <p>
          You will see two short clips at a time and say which one is better. Your answers are kept under this name, so
          that they can be told from other people’s. There is nothing else to sign up for.
        </p>
        <label class="field">
          Your name
          <input
            value={name}
            maxLength={40}
            required
            autofocus
            autocomplete="nickname"
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        {problem && <p class="notice bad" role="alert">{problem}</p>}
        <button type="submit" class="primary" disabled={sending || !name.trim()}>Start</button>
      </form>
    </Shell>
  );
}
