/** Screens for a page that may not, or cannot, talk to the server. */

import { enter, outbox } from "../app";
import { Shell } from "./Shell";

export function SignedOut({ refused }: { refused: boolean }) {
  return (
    <Shell title="A link is needed">
      <div class="quiet">
        <h2>{refused ? "This link does not open the page (any more)" : "You are not signed in here"}</h2>
        <p>
          The page opens with the address that the command prints, the one that ends in <code>#token=…</code>. Copy it
          whole from the terminal. Is it gone? Run the same command again: it prints a new one, and no answer is lost. Did somebody invite you? Ask them for a new link.
        </p>
        <pre>rl-teacher serve</pre>
        {outbox.n > 0 && <p>{outbox.n} answers wait in this browser and are sent as soon as you are signed in.</p>}
      </div>
    </Shell>
  );
}

export function Unreachable({ message, wait }: { message: string; wait: boolean }) {
  const title = wait ? "Please wait a moment" : "The server does not answer";
  return (
    <Shell title={title}>
      <div class="quiet">
        <h2>{title}</h2>
        <p>{message}</p>
        {!wait && <p>Is the command still running? Start it again, then try again here.</p>}
        <button type="button" class="primary" onClick={() => void enter()}>
          Try again
        </button>
      </div>
    </Shell>
  );
}
