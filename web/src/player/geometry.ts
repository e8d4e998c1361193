/** MuJoCo's geoms as three.js geometry: axes of capsules and cylinders are z, sizes are radii and half-lengths. */

import {
  BoxGeometry,
  BufferGeometry,
  CapsuleGeometry,
  CylinderGeometry,
  Float32BufferAttribute,
  PlaneGeometry,
  SphereGeometry,
} from "three";

import type { Geom } from "../types";

/** Half the side of a ground without end, metres, in units of the camera's distance. */
const ENDLESS = 14;
/** From this half side on a plane counts as endless, same units. */
const WIDE = 3;

/** The shape of a geom in its own frame. */
export function geometryOf(geom: Geom): BufferGeometry {
  const [a, b, c] = geom.size;
  switch (geom.type) {
    case "sphere":
      return new SphereGeometry(a, 28, 18);
    case "ellipsoid":
      return new SphereGeometry(1, 28, 18).scale(a, b, c);
    case "capsule":
      return new CapsuleGeometry(a, 2 * b, 8, 20).rotateX(Math.PI / 2);
    case "cylinder":
      return new CylinderGeometry(a, a, 2 * b, 28).rotateX(Math.PI / 2);
    case "box":
      return new BoxGeometry(2 * a, 2 * b, 2 * c);
    case "mesh":
      return meshOf(geom);
    case "plane":
      return new PlaneGeometry(2 * (a || 1), 2 * (b || 1));
  }
}

function meshOf(geom: Geom): BufferGeometry {
  const geometry = new BufferGeometry();
  const vertices = (geom.mesh?.vertices ?? []).flat() as number[];
  const faces = (geom.mesh?.faces ?? []).flat() as number[];
  geometry.setAttribute("position", new Float32BufferAttribute(vertices, 3));
  geometry.setIndex(faces);
  // One normal per face: the edges of a robot's parts stay sharp.
  const flat = geometry.toNonIndexed();
  flat.computeVertexNormals();
  return flat;
}

/** Side of one checker square: about a seventh of the view, a round number, so that motion can be seen and compared. */
export function cellOf(distance: number): number {
  const wish = distance / 7;
  const power = 10 ** Math.floor(Math.log10(wish));
  const digit = wish / power;
  return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

/** A ground of half-lengths (hx, hy) with texture coordinates in checker periods. */
export function groundGeometry(hx: number, hy: number, cell: number): PlaneGeometry {
  const geometry = new PlaneGeometry(2 * hx, 2 * hy);
  const position = geometry.getAttribute("position");
  const uv = geometry.getAttribute("uv");
  for (let i = 0; i < position.count; i++) uv.setXY(i, position.getX(i) / (2 * cell), position.getY(i) / (2 * cell));
  return geometry;
}

/**
 * Whether a plane is drawn as endless, and its half-lengths. MuJoCo writes endless as size 0, and lets bodies stand
 * beyond the edge of any plane; so one much wider than the view has no edge either, or a good runner would leave it.
 */
export function groundSize(geom: Geom | null, distance: number): { endless: boolean; hx: number; hy: number } {
  const reach = ENDLESS * distance;
  const [hx, hy] = geom ? geom.size : [0, 0];
  const endless = !(hx > 0 && hy > 0) || Math.min(hx, hy) >= WIDE * distance;
  return endless ? { endless, hx: reach, hy: reach } : { endless, hx, hy };
}
