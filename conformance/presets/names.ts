// The gateways that the kit starts by itself, so that anybody can measure the table again.

export const PRESETS = ["switchback", "bare", "portkey"] as const;

export type PresetName = (typeof PRESETS)[number];
