// The page: the list of streams, one player, and what it costs to be live.
"use strict";

const POLL = 2000, SAMPLES = 150, SVG_WIDTH = 300, SVG_HEIGHT = 60;
const PLAYED = { video: ["H.264"], audio: ["AAC", "MP3"] };
const at = id => document.getElementById(id);
const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
const path = name => name.split("/").map(encodeURIComponent).join("/");

// Only what goes wrong is of interest.
window.mpegts?.LoggingControl.applyConfig({ enableVerbose: false, enableDebug: false, enableInfo: false });

let player = null, chosen = null, stalls = 0, streams = [];
const rates = new Map();

/** Two columns: terms and their values, which are texts or elements. */
function fill(list, rows) {
  list.replaceChildren(...rows.flatMap(([term, value]) => {
    const cell = document.createElement("dd");
    cell.append(value);
    return [make("dt", term), cell];
  }));
}

function describe(stream) {
  const viewers = Object.values(stream.viewers).reduce((sum, count) => sum + count, 0);
  const codecs = [stream.video, stream.audio].filter(Boolean).join(" + ");
  const state = stream.live ? "live" : "waiting for its publisher";
  return `, ${state}, ${codecs}, ${kbits(stream)}, ${viewers} viewer${viewers === 1 ? "" : "s"}`;
}

function kbits(stream) {
  return `${Math.round((stream.video_bits_per_second + stream.audio_bits_per_second) / 1000)} kbit/s`;
}

function list() {
  const rows = streams.map(stream => {
    const row = document.createElement("li"), link = make("a", stream.name);
    link.href = "#" + path(stream.name);
    if (stream.name === chosen) row.setAttribute("aria-current", "true");
    row.append(link, describe(stream));
    return row;
  });
  // A link that has the focus keeps it.
  const focused = document.activeElement?.closest?.("#streams a")?.getAttribute("href");
  at("streams").replaceChildren(...(rows.length ? rows : [make("li", "Nothing is published.")]));
  if (focused) [...at("streams").querySelectorAll("a")].find(link => link.getAttribute("href") === focused)?.focus();
}

function copyable(text) {
  const box = document.createElement("span"), code = make("code", text), button = make("button", "Copy");
  button.type = "button";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => button.textContent = "Copy", 1500);
    } catch {
      // Without a secure context: the user copies what is selected.
      getSelection().selectAllChildren(code);
    }
  });
  box.append(code, button);
  return box;
}

function addresses(name) {
  const { host, hostname, protocol } = location, secure = protocol === "https:" ? "s" : "";
  const rtmp = `rtmp://${hostname}${at("show").dataset.rtmp}/${name}`;
  const base = `http${secure}://${host}/${path(name)}`, flv = `${base}.flv${location.search}`;
  fill(at("addresses"), [
    ["RTMP", copyable(rtmp + location.search)],
    ["HTTP-FLV", copyable(flv)],
    ["WebSocket", copyable(flv.replace("http", "ws"))],
    ["HLS", copyable(`${base}/index.m3u8${location.search}`)],
    ["watch", copyable(`ffplay '${flv}'`)],
    ["publish", copyable(`ffmpeg -re -i clip.mp4 -c copy -f flv ${rtmp}`)],
    ["OBS server", copyable(rtmp.slice(0, rtmp.lastIndexOf("/")))],
    ["OBS stream key", copyable(name.split("/").pop())],
  ]);
}

function stop() {
  player?.destroy();
  player = null;
}

function start(name) {
  stop();
  [chosen, stalls] = [name, 0];
  at("show").hidden = !name;
  at("problem").textContent = "";
  if (!name) return;
  at("name").textContent = name;
  addresses(name);
  const stream = streams.find(stream => stream.name === name);
  if (!window.MediaSource) return problem("This browser has no Media Source Extensions.");
  const plain = ["video", "audio"].every(kind => !stream?.[kind] || PLAYED[kind].includes(stream[kind]));
  player = plain && window.mpegts?.isSupported() ? flvPlayer(name) : mp4Player(name);
  // A browser may want a click first: then the controls are there.
  player.play()?.catch?.(() => {});
}

function address(name, extension) {
  const secure = location.protocol === "https:" ? "wss" : "ws";
  return `${secure}://${location.host}/${path(name)}.${extension}${location.search}`;
}

function flvPlayer(name) {
  const player = mpegts.createPlayer(
    { type: "flv", isLive: true, url: address(name, "flv") },
    { enableStashBuffer: false, lazyLoad: false, autoCleanupSourceBuffer: true, liveBufferLatencyChasing: true,
      liveBufferLatencyMaxLatency: 1.0, liveBufferLatencyMinRemain: 0.3 });
  player.on(mpegts.Events.ERROR, (kind, detail) => retry(`${kind}: ${detail}`));
  player.on(mpegts.Events.LOADING_COMPLETE, () => retry("The stream has ended."));
  player.attachMediaElement(at("video"));
  player.load();
  return player;
}

function mp4Player(name) {
  return createMp4Player(at("video"), address(name, "mp4"), why => why.includes("does not play") ? (player = null, problem(why)) : retry(why));
}

function problem(text) {
  at("problem").textContent = text;
}

function retry(why) {
  const name = chosen;
  stop();
  problem(`${why} Trying again.`);
  setTimeout(() => chosen === name && start(name), POLL);
}

function figures() {
  const stream = streams.find(stream => stream.name === chosen), video = at("video");
  if (!stream) return;
  const edge = video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : NaN;
  const dropped = video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0;
  fill(at("figures"), [
    ["behind the live edge", player && edge >= 0 ? `${edge.toFixed(2)} s` : "–"],
    ["stalls", String(stalls)],
    ["dropped frames", String(dropped)],
    ["size", video.videoWidth ? `${video.videoWidth}×${video.videoHeight}` : "–"],
    ["video", stream.video ? `${stream.video}, ${stream.frames_per_second.toFixed(1)} frames/s` : "–"],
    ["keyframe every", stream.keyframe_interval_ms ? `${(stream.keyframe_interval_ms / 1000).toFixed(2)} s` : "–"],
    ["audio", stream.audio ?? "–"],
    ["bit rate", kbits(stream)],
  ]);
  const values = rates.get(chosen) ?? [], most = Math.max(1, ...values);
  const points = values.map((value, x) => `${x * SVG_WIDTH / (SAMPLES - 1)},${SVG_HEIGHT - value / most * (SVG_HEIGHT - 4)}`);
  at("chart").firstElementChild.setAttribute("points", points.join(" "));
}

async function poll() {
  try {
    streams = await (await fetch("/api/streams" + location.search)).json();
    for (const { name, video_bits_per_second: video, audio_bits_per_second: audio } of streams) {
      rates.set(name, [...(rates.get(name) ?? []), video + audio].slice(-SAMPLES));
    }
    [...rates.keys()].filter(name => !streams.some(stream => stream.name === name)).forEach(name => rates.delete(name));
    list();
  } catch {
    problem("The relay does not answer.");
  }
  figures();
}

/** Ends the connection of the publisher, as the administrator wants. The token stays in this page. */
async function kick() {
  const headers = { Authorization: `Bearer ${at("token").value}` };
  const answer = await fetch(`/api/admin/kick?stream=${encodeURIComponent(chosen)}`, { method: "POST", headers });
  at("kicked").textContent = answer.ok ? "The connection has ended." : await answer.text();
}

function choose() {
  try {
    start(location.hash.slice(1).split("/").map(decodeURIComponent).join("/") || null);
  } catch {
    start(null);
  }
  list();
}

at("video").addEventListener("waiting", () => stalls += player && at("video").currentTime > 0 ? 1 : 0);
at("video").addEventListener("playing", () => problem(""));
at("kick").addEventListener("click", () => kick().catch(() => at("kicked").textContent = "The relay does not answer."));
addEventListener("hashchange", choose);
poll().then(choose);
setInterval(poll, POLL);
