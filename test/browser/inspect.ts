// Looks at a page as an auditor would: the page hands out what it shows as plain data, the judgement is made here.

import type { Page } from "playwright-core";
import { settle } from "./pages.ts";

type Color = [red: number, green: number, blue: number, alpha: number];
/** A visible text with its colour and every background behind it, nearest first, as CSS writes them. */
type ShownText = { text: string; color: string; backgrounds: string[]; sizePx: number; weight: number };

/** Text with less contrast than WCAG AA asks for (4.5:1, large text 3:1). */
export async function findLowContrast(page: Page): Promise<string[]> {
  await settle(page);
  const texts = await page.evaluate(readTexts);
  if (texts.length < 5) throw new Error("there is no text to look at");
  return texts.flatMap((shown) => {
    const large = shown.sizePx >= 24 || (shown.sizePx >= 18.66 && shown.weight >= 700);
    const ratio = contrastOf(shown);
    return ratio < (large ? 3 : 4.5) ? [`${ratio.toFixed(2)} ${shown.color}: ${shown.text}`] : [];
  });
}

/** Buttons, links, fields and regions without an accessible name, and ids that stand twice. */
export async function findUnnamed(page: Page): Promise<string[]> {
  const { named, ids } = await page.evaluate(readNames);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  return [
    ...named.filter(({ name }) => name === "").map(({ html }) => html),
    ...twice.map((id) => `id ${id} stands twice`),
  ];
}

/** Runs inside the page. */
function readTexts(): ShownText[] {
  const found: ShownText[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent?.trim() ?? "";
    const ignored = "button:disabled, script, style, noscript, option";
    if (text === "" || element === null || element.closest(ignored)) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element);
    const backgrounds: string[] = [];
    for (let behind: Element | null = element; behind !== null; behind = behind.parentElement) {
      backgrounds.push(getComputedStyle(behind).backgroundColor);
    }
    const weight = Number(style.fontWeight);
    found.push({ text, color: style.color, backgrounds, sizePx: Number.parseFloat(style.fontSize), weight });
  }
  return found;
}

/** Runs inside the page. */
function readNames(): { named: { html: string; name: string }[]; ids: string[] } {
  const acting = "button, a, input, select, textarea, summary, section, dialog, nav";
  const named = [...document.querySelectorAll(acting)].map((element) => {
    const by = element.getAttribute("aria-labelledby");
    const labels = "labels" in element ? [...((element as HTMLInputElement).labels ?? [])] : [];
    const parts = [
      element.getAttribute("aria-label"),
      by && document.getElementById(by)?.textContent,
      ...labels.map(({ textContent }) => textContent),
      element.matches("input, select, textarea") ? "" : element.textContent,
    ];
    return { html: element.outerHTML.slice(0, 200), name: parts.filter(Boolean).join(" ").trim() };
  });
  return { named, ids: [...document.querySelectorAll("[id]")].map(({ id }) => id) };
}

/** WCAG 2 contrast ratio, 1 to 21. */
function contrastOf({ color, backgrounds }: ShownText): number {
  const white: Color = [255, 255, 255, 1];
  const background = backgrounds.map(parseColor).reduceRight((below, top) => blend(top, below), white);
  const first = luminanceOf(blend(parseColor(color), background));
  const second = luminanceOf(background);
  return (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
}

function parseColor(text: string): Color {
  if (!/^rgba?\(/.test(text)) throw new Error(`not a colour that this understands: ${text}`);
  const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue, alpha];
}

function blend(top: Color, below: Color): Color {
  const [red, green, blue] = ([0, 1, 2] as const).map(
    (index) => top[index] * top[3] + below[index] * (1 - top[3]),
  );
  return [red!, green!, blue!, 1];
}

function luminanceOf(color: Color): number {
  const [red, green, blue] = ([0, 1, 2] as const).map((index) => {
    const share = color[index] / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
