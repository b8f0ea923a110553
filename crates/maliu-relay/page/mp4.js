// A player of fragmented MP4 that comes over WebSocket: every codec that the browser has, close to the live edge.
"use strict";

/** Seconds: how far behind the edge playing begins and is too much, media that is kept behind, and that is removed at. */
const EDGE = 0.2, LATE = 1.0, BEHIND = 10, FULL = 30;

/** Plays a stream in a video element; calls `ended` with a reason when nothing follows. */
function createMp4Player(video, url, ended) {
  const source = new MediaSource(), address = URL.createObjectURL(source), waiting = [];
  let socket = null, buffer = null, over = false;

  function end(why) {
    if (over) return;
    destroy();
    ended(why);
  }

  function destroy() {
    over = true;
    socket?.close();
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(address);
  }

  /** Types of media are texts, and stand in front of their initialization. */
  function change(type) {
    if (!MediaSource.isTypeSupported(type)) {
      return end(`This browser does not play ${type}; other players do.`);
    }
    if (buffer) return buffer.changeType(type);
    buffer = source.addSourceBuffer(type);
    buffer.addEventListener("updateend", next);
    buffer.addEventListener("error", () => end("The browser cannot decode the stream."));
  }

  /** Appends what waits, one after another. */
  function next() {
    if (over || source.readyState !== "open") return;
    follow();
    while (waiting.length && !over && !buffer?.updating) {
      const old = buffer?.buffered.length ? video.currentTime - buffer.buffered.start(0) : 0;
      if (old > FULL) {
        buffer.remove(0, video.currentTime - BEHIND);
      } else if (typeof waiting[0] === "string") {
        change(waiting.shift());
      } else {
        append();
      }
    }
  }

  function append() {
    try {
      buffer.appendBuffer(waiting[0]);
      waiting.shift();
    } catch (error) {
      if (error.name !== "QuotaExceededError" || video.currentTime < BEHIND) return end(String(error));
      buffer.remove(0, video.currentTime - 1);
    }
  }

  /** Keeps close to the live edge: jumps when it is far, and plays a little faster when it is not close. */
  function follow() {
    const { buffered } = video;
    if (!buffered.length) return;
    const edge = buffered.end(buffered.length - 1), start = buffered.start(buffered.length - 1);
    const behind = edge - video.currentTime;
    if (behind > 2 * LATE || behind < 0 || video.currentTime < start) {
      video.currentTime = Math.max(start, edge - EDGE);
    } else {
      video.playbackRate = behind > LATE ? 1.1 : behind > LATE * 0.7 ? 1.03 : 1;
    }
  }

  source.addEventListener("sourceopen", () => {
    if (over || socket) return;
    socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      waiting.push(data);
      next();
    });
    socket.addEventListener("close", () => end("The stream has ended."));
  });
  video.src = address;
  return { destroy, play: () => video.play() };
}
