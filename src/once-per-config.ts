import type { Config } from "./env.ts";

/** Builds something once for a configuration, which lives as long as the isolate. */
export function oncePerConfig<T>(build: (config: Config) => T): (config: Config) => T {
  const built = new WeakMap<Config, { value: T }>();
  return (config) => {
    let kept = built.get(config);
    if (kept === undefined) {
      kept = { value: build(config) };
      built.set(config, kept);
    }
    return kept.value;
  };
}
