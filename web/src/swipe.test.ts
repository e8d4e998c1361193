import { beforeEach, describe, expect, it } from "vitest";

import { FAR_PX, Swipe } from "./swipe";

let swipe: Swipe;
beforeEach(() => (swipe = new Swipe()));

/** One finger from the middle by (dx, dy), and off. */
function swiped(dx: number, dy: number) {
  swipe.down(1, 200, 200);
  swipe.move(1, 200 + dx / 2, 200 + dy / 2);
  swipe.move(1, 200 + dx, 200 + dy);
  return swipe.up(1);
}

describe("swipe", () => {
  it("answers in four directions, once it is far enough", () => {
    expect([swiped(-FAR_PX, 0), swiped(FAR_PX, 9), swiped(5, -FAR_PX), swiped(0, FAR_PX)]).toEqual(["LEFT", "RIGHT", "TIE", "ABSTAIN"]);
    expect(swiped(FAR_PX - 1, 0)).toBeNull();
    expect(swiped(0, 0)).toBeNull();
  });

  it("says nothing where the direction is unclear", () => {
    expect(swiped(100, 90)).toBeNull();
  });

  it("shows what it would mean, and takes it back when the finger comes back", () => {
    swipe.down(1, 0, 0);
    swipe.move(1, -FAR_PX / 2, 0);
    expect(swipe.cue()).toEqual({ verdict: "LEFT", pull: 0.5 });
    swipe.move(1, -2 * FAR_PX, 0);
    expect(swipe.cue()).toEqual({ verdict: "LEFT", pull: 1 });
    swipe.move(1, -3, 0);
    expect(swipe.cue()).toBeNull();
    expect(swipe.up(1)).toBeNull();
  });

  it("turns and comes nearer with two fingers, and then never answers", () => {
    swipe.down(1, 0, 0);
    expect(swipe.move(1, 10, 0)).toBeNull();
    swipe.down(2, 110, 0);
    expect(swipe.move(2, 210, 0)).toEqual({ dx: 50, dy: 0, scale: 0.5 });
    expect(swipe.cue()).toBeNull();
    expect(swipe.up(2)).toBeNull();
    swipe.move(1, -300, 0);
    expect(swipe.up(1)).toBeNull();
    expect(swiped(-FAR_PX, 0)).toBe("LEFT");
  });

  it("answers nothing when the system takes the finger away", () => {
    swipe.down(1, 0, 0);
    swipe.move(1, -200, 0);
    swipe.leave(1);
    expect(swipe.cue()).toBeNull();
    expect(swipe.up(1)).toBeNull();
  });
});
