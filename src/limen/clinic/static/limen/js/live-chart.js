"use strict";
// Lanes over one time axis: what was seen in ink, what a model expects in violet bands, walls with names, the sill at
// now. uPlot draws axes and traces; bands, walls, gaps and the sill are drawn under and over them. Every colour is a
// custom property of the page.
//   Limen.lane(place, {title, unit, range, walls, forecast, cuff, from, to}) -> {update({x, y, low}, now), sentence}
// Times are seconds since the epoch, of the clinic's clock.
(() => {
  const limen = window.Limen;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const font = (weight, size) => `${weight} ${size * devicePixelRatio}px ${style.getPropertyValue("--font").trim() || "sans-serif"}`;
  const gapS = 15;
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: document.documentElement.dataset.zone || "UTC", hourCycle: "h23", hour: "2-digit", minute: "2-digit",
  });

  function hatch(ctx, ink, width, space) {
    const size = Math.round(space * devicePixelRatio);
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const pen = tile.getContext("2d");
    pen.strokeStyle = ink;
    pen.lineWidth = width * devicePixelRatio;
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift, size);
      pen.lineTo(shift + size, 0);
    }
    pen.stroke();
    return ctx.createPattern(tile, "repeat");
  }

  function lane(place, options) {
    const live = { now: options.from, gaps: [], low: [], forecast: options.forecast, walls: options.walls || [], title: options.title, marks: [] };
    let [bottom, top] = options.range;

    const isKnown = (value) => value !== null && value !== undefined;

    // What is drawn beyond the usual range widens the lane, seen, forecast and walls alike: what is worst must not be off
    // the picture, nor stand at a value that it has not.
    function widen(values) {
      const seen = values.filter(isKnown);
      const drawn = [...expected(), ...live.walls.map((wall) => wall.value)].filter(isKnown);
      bottom = Math.min(options.range[0], ...seen.map((value) => value - 5), ...drawn);
      top = Math.max(options.range[1], ...seen.map((value) => value + 5), ...drawn);
    }

    const until = () => Math.max(options.to, live.now + 300);

    function expected() {
      const { t: times, typical, patients, models } = live.forecast || { t: [], typical: [] };
      const shown = (value, index) => times[index] >= options.from && times[index] <= until();
      return [typical, ...(patients || []), ...(models || [])].flatMap((list) => (list || []).filter(shown));
    }

    const x = (u, value) => u.valToPos(value, "x", true);
    const y = (u, value) => u.valToPos(value, "y", true);

    // A value that is withheld has no place on the picture: the line and the band are broken there.
    function stretches(times, ...lists) {
      const found = [];
      times.forEach((_, index) => {
        if (!lists.every((list) => isKnown(list[index]))) found.push([]);
        else if (found.length) found[found.length - 1].push(index);
        else found.push([index]);
      });
      return found.filter((part) => part.length);
    }

    function path(u, times, values, parts = stretches(times, values)) {
      const line = new Path2D();
      for (const part of parts) part.forEach((index, nth) => line[nth ? "lineTo" : "moveTo"](x(u, times[index]), y(u, values[index])));
      return line;
    }

    function band(u, times, low, high, fill, edge, dash) {
      if (!low || !high) return;
      const { ctx } = u;
      ctx.fillStyle = colour(fill);
      for (const part of stretches(times, low, high)) {
        const area = path(u, times, high, [part]);
        for (const index of [...part].reverse()) area.lineTo(x(u, times[index]), y(u, low[index]));
        ctx.fill(area);
      }
      ctx.strokeStyle = colour(edge);
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
      ctx.stroke(path(u, times, low));
      ctx.stroke(path(u, times, high));
      ctx.setLineDash([]);
    }

    function clipped(u, draw) {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      draw(ctx, bbox);
      ctx.restore();
    }

    function under(u) {
      clipped(u, (ctx, bbox) => {
        const forecast = live.forecast;
        if (forecast) {
          band(u, forecast.t, forecast.patients?.[0], forecast.patients?.[1], "fc-patient", "fc-patient-edge", [5, 4]);
          band(u, forecast.t, forecast.models?.[0], forecast.models?.[1], "fc-model", "fc-model-edge", []);
          ctx.strokeStyle = colour("fc-line");
          ctx.lineWidth = 2 * devicePixelRatio;
          ctx.setLineDash([9 * devicePixelRatio, 4 * devicePixelRatio]);
          ctx.stroke(path(u, forecast.t, forecast.typical));
          ctx.setLineDash([]);
        }
        ctx.fillStyle = hatch(ctx, colour("hatch"), 1.5, 8);
        for (const [from, to] of live.gaps) ctx.fillRect(x(u, from), bbox.top, x(u, to) - x(u, from), bbox.height);
        for (const wall of live.walls) wallLine(u, ctx, bbox, wall);
      });
    }

    function wallLine(u, ctx, bbox, wall) {
      const at = y(u, wall.value);
      const depth = 5 * devicePixelRatio * (wall.side === "low" ? 1 : -1);
      ctx.fillStyle = hatch(ctx, colour("ink"), 1.5, 6);
      ctx.fillRect(bbox.left, Math.min(at, at + depth), bbox.width, Math.abs(depth));
      ctx.strokeStyle = colour("ink");
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(bbox.left, at);
      ctx.lineTo(bbox.left + bbox.width, at);
      ctx.stroke();
    }

    // Over the grid, so that no line strikes a name through. Two names in a low lane would cover each other: the walls stay.
    function wallName(u, ctx, bbox, wall) {
      if (bbox.height < 62 * devicePixelRatio && live.walls.length > 1) return;
      const at = y(u, wall.value);
      const depth = 5 * devicePixelRatio * (wall.side === "low" ? 1 : -1);
      ctx.font = font(700, 13);
      ctx.textAlign = "right";
      const tall = 15 * devicePixelRatio;
      const below = wall.side === "low" ? at + depth + 2 + tall < bbox.top + bbox.height : at + depth - tall < bbox.top;
      ctx.textBaseline = below ? "top" : "bottom";
      words(ctx, wall.name, bbox.left + bbox.width - 2, below ? Math.max(at, at + depth) + 2 : Math.min(at, at + depth) - 2, "ink");
    }

    function words(ctx, text, left, top_, ink) {
      ctx.lineWidth = 4 * devicePixelRatio;
      ctx.lineJoin = "round";
      ctx.strokeStyle = colour("ground");
      ctx.strokeText(text, left, top_);
      ctx.fillStyle = colour(ink);
      ctx.fillText(text, left, top_);
    }

    function over(u) {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.font = font(700, 13);
      ctx.textAlign = "left";
      ctx.textBaseline = "top";
      // beside the sill, never across it
      const [begin, sill, pad] = [bbox.left + 6 * devicePixelRatio, x(u, live.now), 8 * devicePixelRatio];
      const crosses = sill > begin - pad && sill < begin + ctx.measureText(live.title).width + pad;
      const left = crosses ? sill + pad : begin;
      words(ctx, fitting(ctx, live.title, bbox.left + bbox.width - left), left, bbox.top, "ink");
      ctx.restore();
      clipped(u, (pen, box) => live.walls.forEach((wall) => wallName(u, pen, box, wall)));
      if (options.cuff) cuffs(u);
      marks(u);
      const at = x(u, live.now);
      if (at < bbox.left || at > bbox.left + bbox.width) return;
      ctx.save();
      ctx.strokeStyle = colour("ink");
      ctx.lineWidth = 3 * devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
      if (options.names && live.forecast) {
        ctx.font = font(700, 13);
        ctx.textBaseline = "bottom";
        ctx.textAlign = "right";
        words(ctx, "seen", at - 7 * devicePixelRatio, bbox.top + bbox.height - 2, "ink");
        ctx.textAlign = "left";
        words(ctx, "forecast", at + 7 * devicePixelRatio, bbox.top + bbox.height - 2, "fc");
      }
      ctx.restore();
    }

    // What the lane has no room for goes from the end, part by part: half a word is worse than none.
    function fitting(ctx, title, room) {
      const parts = title.split(", ");
      while (parts.length > 1 && ctx.measureText(parts.join(", ")).width > room) parts.pop();
      return parts.join(", ");
    }

    // What happened: a dotted line through every lane, named in the lane that names things, two rows so that names that
    // come close do not cover each other.
    function marks(u) {
      clipped(u, (ctx, bbox) => {
        ctx.strokeStyle = colour("ink-2");
        ctx.lineWidth = devicePixelRatio;
        ctx.font = font(400, 13);
        ctx.textAlign = "left";
        ctx.textBaseline = "bottom";
        const ends = [-Infinity, -Infinity];
        for (const { at, name } of live.marks) {
          const place_ = x(u, at);
          ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
          ctx.beginPath();
          ctx.moveTo(place_, bbox.top);
          ctx.lineTo(place_, bbox.top + bbox.height);
          ctx.stroke();
          if (!options.marked || !name || bbox.height < 80 * devicePixelRatio) continue; // the log names it
          ctx.setLineDash([]);
          const row = ends.findIndex((end) => place_ > end + 4 * devicePixelRatio);
          if (row < 0) continue; // the log below names it
          ends[row] = place_ + ctx.measureText(name).width + 8 * devicePixelRatio;
          words(ctx, name, place_ + 4 * devicePixelRatio, bbox.top + bbox.height - (18 + 16 * row) * devicePixelRatio, "ink");
        }
        ctx.setLineDash([]);
      });
    }

    // One cuff reading: systolic to diastolic, an arrow head at each end.
    function cuffs(u) {
      clipped(u, (ctx) => {
        ctx.strokeStyle = colour("ink");
        ctx.lineWidth = 2 * devicePixelRatio;
        const arm = 4 * devicePixelRatio;
        u.data[0].forEach((time, index) => {
          const high = u.data[1][index];
          const low = live.low[index];
          if (high === null || high === undefined) return;
          const at = x(u, time);
          ctx.beginPath();
          tip(ctx, at, y(u, high), arm);
          if (low !== null && low !== undefined) {
            tip(ctx, at, y(u, low), -arm);
            ctx.moveTo(at, y(u, high));
            ctx.lineTo(at, y(u, low));
          }
          ctx.stroke();
        });
      });
    }

    function tip(ctx, at, level, arm) {
      ctx.moveTo(at - Math.abs(arm), level - arm);
      ctx.lineTo(at, level);
      ctx.lineTo(at + Math.abs(arm), level - arm);
    }

    // Labels that would touch each other help nobody: of a low lane only those that have room are written.
    function roomy(u) {
      const tall = u.bbox.height / devicePixelRatio;
      const near = 17 / Math.max(1, tall);
      const kept = [];
      for (const tick of options.ticks.filter((one) => one >= bottom && one <= top)) {
        if (!kept.length || (tick - kept[kept.length - 1]) / (top - bottom) >= near) kept.push(tick);
      }
      return kept;
    }

    const axis = {
      stroke: colour("ink-2"), font: `13px ${style.getPropertyValue("--font").trim() || "sans-serif"}`,
      grid: { stroke: colour("line"), width: 1 }, ticks: { show: false },
    };
    const chart = new window.uPlot(
      {
        width: Math.max(200, place.clientWidth), height: options.height, legend: { show: false }, cursor: { show: false },
        scales: { x: { time: true, range: () => [options.from, until()] }, y: { range: () => [bottom, top] } },
        axes: [
          { ...axis, show: Boolean(options.times), size: 24, values: (u, splits) => splits.map((at) => clock.format(at * 1000)), space: 70 },
          { ...axis, size: 40, splits: roomy, gap: 6 },
        ],
        series: [
          {},
          {
            stroke: options.cuff ? "transparent" : colour("ink"), width: 2.25, spanGaps: false,
            points: { show: Boolean(options.dots), size: 9, fill: colour("ink"), stroke: colour("ink") },
          },
        ],
        hooks: { drawClear: [under], draw: [over] },
        padding: [4, 24, options.times ? 0 : 4, 0],
      },
      [[], []],
      place,
    );
    let height = options.height;
    new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height })).observe(place);

    return {
      update(seen, now) {
        live.now = now;
        live.low = seen.low || [];
        live.gaps = options.cuff || options.dots ? [] : gaps(seen.x, seen.y, now, seen.since);
        place.dataset.gaps = live.gaps.length; // stretches where nothing is known, hatched
        widen([...seen.y, ...live.low]);
        chart.setData([seen.x, seen.y]);
      },
      resize(next) {
        if (next === height) return;
        height = next;
        chart.setSize({ width: place.clientWidth, height });
      },
      forecast(next) {
        live.forecast = next;
      },
      title(next) {
        live.title = next;
      },
      walls(next) {
        live.walls = next;
      },
      marks(next) {
        live.marks = next;
      },
    };
  }

  // Where nothing is known: no valid value for longer than a stream may be silent.
  function gaps(times, values, now, since) {
    const found = [];
    let last = since ?? (times.length ? times[0] : now);
    times.forEach((time, index) => {
      if (values[index] === null) return;
      if (time - last > gapS) found.push([last, time]);
      last = time;
    });
    if (now - last > gapS) found.push([last, now]);
    return found;
  }

  Object.assign(limen, { lane });
})();
