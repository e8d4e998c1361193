/** Where the camera stands: MuJoCo's azimuth, elevation and distance, turned by the viewer's drag. */

import type { PerspectiveCamera } from "three";

import type { SceneData } from "../types";

const DEGREE = Math.PI / 180;
const FOV = 45;

/** What the viewer added by dragging; one for both clips, so that they are always seen from the same side. */
export class Orbit {
  azimuth = 0;
  elevation = 0;
  zoom = 1;

  drag(dx: number, dy: number): void {
    this.azimuth -= dx * 0.4;
    this.elevation -= dy * 0.3;
  }

  scale(by: number): void {
    this.zoom = Math.min(3, Math.max(0.35, this.zoom * by));
  }

  reset(): void {
    this.azimuth = 0;
    this.elevation = 0;
    this.zoom = 1;
  }
}

/** Unit vector from the camera to what it looks at, in MuJoCo's z-up frame. */
export function forward(azimuth: number, elevation: number): [number, number, number] {
  const level = Math.cos(elevation * DEGREE);
  return [level * Math.cos(azimuth * DEGREE), level * Math.sin(azimuth * DEGREE), Math.sin(elevation * DEGREE)];
}

/** Place the camera. `aspect` is width over height: narrow views step back so that the width still fits. */
export function place(
  camera: PerspectiveCamera,
  view: SceneData["camera"],
  orbit: Orbit,
  target: readonly [number, number, number],
  aspect: number,
): void {
  const elevation = Math.min(85, Math.max(-89.5, view.elevation + orbit.elevation));
  const azimuth = view.azimuth + orbit.azimuth;
  const [fx, fy, fz] = forward(azimuth, elevation);
  const distance = (view.distance * orbit.zoom) / Math.min(1, Math.max(aspect, 0.55));
  camera.fov = FOV;
  camera.aspect = aspect;
  camera.near = distance / 50;
  camera.far = distance * 30;
  camera.position.set(target[0] - fx * distance, target[1] - fy * distance, target[2] - fz * distance);
  // Seen from straight above, z is no "up": the direction the camera faces is.
  if (elevation < -85) camera.up.set(Math.cos(azimuth * DEGREE), Math.sin(azimuth * DEGREE), 0);
  else camera.up.set(0, 0, 1);
  camera.lookAt(target[0], target[1], target[2]);
  camera.updateProjectionMatrix();
}
