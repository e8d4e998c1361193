/**
 * The drawing itself, the page's lazily loaded part. One WebGL renderer serves every view on the page: it draws a view
 * into its own canvas and copies the picture to the view's. So there is one context, one set of shaders, one scene per
 * environment, and the next pair appears without building anything.
 */

import { BasicShadowMap, PCFShadowMap, PerspectiveCamera, WebGLRenderer } from "three";

import { type Orbit, place } from "./camera";
import type { PoseClip } from "./poses";
import { Stage } from "./stage";

const STAGES_KEPT = 4;
/** A graphics context that was lost is given back within this time, or not at all. */
const COMES_BACK_MS = 4000;
/** Above this many milliseconds per picture the machine has no GPU to speak of: fewer pixels, fewer pictures. */
const SLOW_MS = 9;
/** Then no view gets more pixels than this. */
const SLOW_PIXELS = 400 * 400;

export class Engine {
  /** Moving average of milliseconds per picture. */
  cost = 0;
  /** Without a GPU: edges and shadows are rougher, which makes a picture three times cheaper. */
  private readonly plain: boolean;
  private readonly renderer: WebGLRenderer;
  private readonly camera = new PerspectiveCamera();
  private readonly stages = new Map<string, Stage>();

  /** `lost` is called when the graphics context is gone and does not come back. */
  constructor(lost: () => void) {
    const canvas = document.createElement("canvas");
    this.plain = drawsInSoftware();
    this.renderer = new WebGLRenderer({ canvas, antialias: !this.plain, powerPreference: "high-performance" });
    this.renderer.setPixelRatio(1);
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = this.plain ? BasicShadowMap : PCFShadowMap;
    let wait = 0;
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault(); // else it is never given back
      wait = window.setTimeout(lost, COMES_BACK_MS);
    });
    canvas.addEventListener("webglcontextrestored", () => window.clearTimeout(wait));
  }

  /** Whether pictures come slowly here. */
  get slow(): boolean {
    return this.plain || this.cost > SLOW_MS;
  }

  /** Pixels worth drawing per CSS pixel of a view of this size. */
  ratio(width: number, height: number): number {
    if (!this.slow) return Math.min(window.devicePixelRatio || 1, 2);
    return Math.min(1, Math.sqrt(SLOW_PIXELS / Math.max(1, width * height)));
  }

  /** Build a scene and its shaders before anybody waits for them. */
  prepare(clip: PoseClip): void {
    if (this.stages.has(clip.sceneKey)) return;
    const stage = this.stage(clip);
    const target = stage.pose(clip, 0);
    place(this.camera, clip.scene.camera, NO_ORBIT, target, 1);
    this.renderer.compile(stage.scene, this.camera);
  }

  /** Draw one frame of a clip into a canvas with a 2-D context; false while the graphics context is lost. */
  draw(clip: PoseClip, frame: number, orbit: Orbit, into: CanvasRenderingContext2D): boolean {
    if (this.renderer.getContext().isContextLost()) return false;
    const began = performance.now();
    const { width, height } = into.canvas;
    const own = this.renderer.domElement;
    if (own.width !== width || own.height !== height) this.renderer.setSize(width, height, false);
    const stage = this.stage(clip);
    place(this.camera, clip.scene.camera, orbit, stage.pose(clip, frame), width / height);
    this.renderer.render(stage.scene, this.camera);
    into.drawImage(own, 0, 0);
    this.cost += 0.1 * (performance.now() - began - this.cost);
    return true;
  }

  private stage(clip: PoseClip): Stage {
    let stage = this.stages.get(clip.sceneKey);
    if (!stage) {
      stage = new Stage(clip.scene, this.plain);
      this.forgetOldest();
      this.stages.set(clip.sceneKey, stage);
    }
    return stage;
  }

  private forgetOldest(): void {
    if (this.stages.size < STAGES_KEPT) return;
    const [oldest] = this.stages.keys();
    this.stages.get(oldest!)?.dispose();
    this.stages.delete(oldest!);
  }
}

const NO_ORBIT = { azimuth: 0, elevation: 0, zoom: 1 } as Orbit;

/** Whether WebGL runs on the CPU here, as in virtual machines and remote desktops. */
function drawsInSoftware(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2");
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  const renderer = gl && names ? String(gl.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}
