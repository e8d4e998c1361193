/** One environment as a three.js scene. It is built once; showing another clip or frame only moves its geoms. */

import {
  AmbientLight,
  CanvasTexture,
  Color,
  DirectionalLight,
  Fog,
  HemisphereLight,
  Mesh,
  MeshLambertMaterial,
  Object3D,
  Quaternion,
  RepeatWrapping,
  Scene,
  SRGBColorSpace,
  Vector3,
} from "three";

import type { Geom, SceneData } from "../types";
import { cellOf, geometryOf, groundGeometry, groundSize } from "./geometry";
import { between, type PoseClip, STRIDE } from "./poses";

const SKY = new Color("#cfdde6");
const LIGHT_SQUARE = "#b9c6cc";
const DARK_SQUARE = "#93a5ae";

export class Stage {
  readonly scene = new Scene();
  private readonly parts: (Object3D | null)[];
  private readonly grounds: { mesh: Mesh; geom: number | null; endless: boolean }[] = [];
  private readonly sun = new DirectionalLight("#fff6e6", 2.3);
  private readonly cell: number;
  private readonly distance: number;
  private readonly a = new Quaternion();
  private readonly b = new Quaternion();
  private readonly target = new Vector3();

  /** `plain` asks for what a machine without a GPU can draw quickly. */
  constructor(
    data: SceneData,
    private readonly plain = false,
  ) {
    this.distance = data.camera.distance;
    this.cell = cellOf(this.distance);
    this.scene.background = SKY;
    this.scene.fog = new Fog(SKY, this.distance * 1.8, this.distance * 9);
    this.light();
    this.parts = data.geoms.map((geom, index) => this.part(geom, index));
    const noPlane = !data.geoms.some((geom) => geom.type === "plane");
    if (data.floor && noPlane) this.ground(null, null);
  }

  /** Put all geoms where they are at `frame` (not whole: between two frames) and return what to look at. */
  pose(clip: PoseClip, frame: number): [number, number, number] {
    const [low, high, share] = between(frame, clip.nFrames);
    const row = clip.nGeoms * STRIDE;
    this.parts.forEach((part, geom) => {
      if (part) this.move(part, clip.data, low * row + geom * STRIDE, high * row + geom * STRIDE, share);
    });
    const [x, y, z] = [0, 1, 2].map((axis) => mix(clip.targets[low * 3 + axis]!, clip.targets[high * 3 + axis]!, share));
    this.follow(x!, y!, z!, clip, low * row);
    return [x!, y!, z!];
  }

  dispose(): void {
    this.scene.traverse((object) => {
      if (!(object instanceof Mesh)) return;
      object.geometry.dispose();
      object.material.map?.dispose();
      object.material.dispose();
    });
    this.sun.dispose();
  }

  private move(part: Object3D, data: Float32Array, low: number, high: number, share: number): void {
    const at = (i: number) => mix(data[low + i]!, data[high + i]!, share);
    part.position.set(at(0), at(1), at(2));
    this.a.set(data[low + 4]!, data[low + 5]!, data[low + 6]!, data[low + 3]!);
    this.b.set(data[high + 4]!, data[high + 5]!, data[high + 6]!, data[high + 3]!);
    part.quaternion.slerpQuaternions(this.a, this.b, share);
  }

  /** Sun and endless grounds go with the camera's target; the squares stay where they are in the world. */
  private follow(x: number, y: number, z: number, clip: PoseClip, row: number): void {
    this.target.set(x, y, z);
    this.sun.target.position.copy(this.target);
    this.sun.position.set(x - this.distance * 0.45, y - this.distance * 0.55, z + this.distance * 1.3);
    const period = 2 * this.cell;
    for (const { mesh, geom, endless } of this.grounds) {
      if (!endless) continue;
      const height = geom === null ? 0 : clip.data[row + geom * STRIDE + 2]!;
      mesh.position.set(Math.round(x / period) * period, Math.round(y / period) * period, height);
    }
  }

  private light(): void {
    this.scene.add(new HemisphereLight("#ffffff", "#8f9ba3", 1.5), new AmbientLight("#ffffff", 0.35));
    this.sun.castShadow = true;
    this.sun.shadow.mapSize.setScalar(this.plain ? 512 : 1024);
    this.sun.shadow.radius = 2;
    this.sun.shadow.bias = -0.0005;
    this.sun.shadow.normalBias = 0.01 * this.distance;
    const box = this.sun.shadow.camera;
    const reach = this.distance * 0.62;
    [box.left, box.right, box.bottom, box.top] = [-reach, reach, -reach, reach];
    [box.near, box.far] = [this.distance * 0.2, this.distance * 3];
    this.scene.add(this.sun, this.sun.target);
  }

  private part(geom: Geom, index: number): Object3D | null {
    const alpha = geom.rgba[3];
    if (geom.type === "plane") return this.ground(geom, index);
    if (alpha <= 0) return null;
    const color = new Color().setRGB(geom.rgba[0], geom.rgba[1], geom.rgba[2], SRGBColorSpace);
    const material = new MeshLambertMaterial({ color, transparent: alpha < 1, opacity: alpha });
    const mesh = new Mesh(geometryOf(geom), material);
    mesh.castShadow = alpha > 0.5;
    mesh.receiveShadow = true;
    this.scene.add(mesh);
    return mesh;
  }

  /** A checkered plane; returned only if it moves like any other geom. */
  private ground(geom: Geom | null, index: number | null): Object3D | null {
    const { endless, hx, hy } = groundSize(geom, this.distance);
    const mesh = new Mesh(groundGeometry(hx, hy, this.cell), new MeshLambertMaterial({ map: checker(this.plain ? 1 : 4) }));
    mesh.receiveShadow = true;
    this.scene.add(mesh);
    this.grounds.push({ mesh, geom: index, endless });
    return endless ? null : mesh;
  }
}

function checker(anisotropy: number): CanvasTexture {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 128;
  const paint = canvas.getContext("2d")!;
  paint.fillStyle = LIGHT_SQUARE;
  paint.fillRect(0, 0, 128, 128);
  paint.fillStyle = DARK_SQUARE;
  paint.fillRect(0, 0, 64, 64);
  paint.fillRect(64, 64, 64, 64);
  const texture = new CanvasTexture(canvas);
  texture.wrapS = texture.wrapT = RepeatWrapping;
  texture.colorSpace = SRGBColorSpace;
  texture.anisotropy = anisotropy;
  return texture;
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}
