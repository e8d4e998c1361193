/** Entry: sign in, follow the address bar, show the screen. */

import { render } from "preact";

import { enter, keepWatch, signIn } from "./app";
import { startKeymap } from "./keymap";
import { parse, route, startRouting, tokenIn } from "./route";
import { Answers } from "./screens/Answers";
import { isResearcher, List } from "./screens/List";
import { Missing } from "./screens/Missing";
import { Shell } from "./screens/Shell";
import { People } from "./screens/People";
import { Settings } from "./screens/Settings";
import { SignedOut, Unreachable } from "./screens/SignedOut";
import { Teach } from "./screens/Teach";
import { Watch } from "./screens/Watch";
import { Welcome } from "./screens/Welcome";

const ONLY_RESEARCHERS: readonly string[] = ["people", "settings"];

function App() {
  const who = signIn.value;
  const where = route.value;
  if (who.state === "starting") return <Shell title="" />;
  if (who.state === "out") return <SignedOut refused={who.refused} />;
  if (who.state === "name") return <Welcome token={who.token} problem={who.problem} />;
  if (who.state === "unreachable") return <Unreachable message={who.message} wait={who.wait} />;
  if (ONLY_RESEARCHERS.includes(where.screen) && !isResearcher(who.session)) {
    const message = "This page is for whoever runs the experiment.";
    return <Missing title="Your link does not open this page" message={message} hint="Your own answers are under Answers." />;
  }
  switch (where.screen) {
    case "list":
      return <List session={who.session} />;
    case "teach":
      return <Teach key={where.id} id={where.id} session={who.session} />;
    case "answers":
      return <Answers key={where.id} id={where.id} session={who.session} />;
    case "people":
      return <People key={where.id} id={where.id} />;
    case "settings":
      return <Settings key={where.id} id={where.id} />;
    case "watch":
      return <Watch key={where.id} name={where.id} session={who.session} />;
    case "unknown":
      return <Missing message={`There is no page ${where.hash}.`} />;
  }
}

async function start(): Promise<void> {
  startKeymap();
  await enter();
  const who = signIn.value;
  const bound = who.state === "in" ? who.session.experiment_id : null;
  // A link made for one experiment leads straight to it.
  if (bound && location.hash.replace(/^#\/?/, "") === "") history.replaceState(null, "", `#/teach/${bound}`);
  startRouting();
  keepWatch();
  // The same tab may get a new link.
  window.addEventListener("hashchange", () => {
    if (tokenIn(location.hash) !== null) void enter().then(() => (route.value = parse(location.hash)));
  });
}

render(<App />, document.getElementById("app")!);
void start();
