//! Rectangles, letters and bitmaps, as SVG or PNG.

use std::fmt::Write as _;

use maliu::syntax::base64;

use super::letters::FONT;

/// A picture being drawn, in pixels from the upper left corner.
pub(crate) struct Canvas {
    pub width: u32,
    pub height: u32,
    shapes: Vec<Shape>,
}

enum Shape {
    Rect {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        ink: Ink,
    },
    Text {
        x: f64,
        y: f64,
        text: String,
    },
    /// RGB from the upper left, `size` pixels, stretched.
    Bitmap {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        size: (u32, u32),
        rgb: Vec<u8>,
    },
}

/// Colours by their use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Back,
    Grid,
    Text,
    /// A stream, by its index.
    Stream(usize),
    /// A keyframe, a fault.
    Mark,
}

impl Ink {
    fn rgb(self) -> [u8; 3] {
        match self {
            Self::Back => [255, 255, 255],
            Self::Grid => [222, 226, 232],
            Self::Text => [60, 66, 76],
            Self::Stream(index) => STREAMS[index % STREAMS.len()],
            Self::Mark => [212, 60, 44],
        }
    }

    /// For SVG; `themed` takes variables of the page.
    fn css(self, themed: bool) -> String {
        let [r, g, b] = self.rgb();
        let name = match self {
            Self::Back => "back".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Text => "ink".to_owned(),
            Self::Stream(index) => format!("s{}", index % STREAMS.len()),
            Self::Mark => "mark".to_owned(),
        };
        if themed { format!("var(--{name})") } else { format!("#{r:02x}{g:02x}{b:02x}") }
    }
}

/// Colours of streams.
pub(crate) const STREAMS: [[u8; 3]; 4] = [[38, 110, 207], [16, 148, 110], [150, 90, 200], [190, 130, 20]];

impl Canvas {
    /// An empty picture.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    /// A filled rectangle.
    pub(crate) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), ink: Ink) {
        self.shapes.push(Shape::Rect { x, y, width, height, ink });
    }

    /// Text that begins at a point, which is the upper left of its first letter.
    pub(crate) fn text(&mut self, (x, y): (f64, f64), text: impl Into<String>) {
        self.shapes.push(Shape::Text { x, y, text: text.into() });
    }

    /// RGB pixels, stretched over a rectangle.
    pub(crate) fn bitmap(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), size: (u32, u32), rgb: Vec<u8>) {
        self.shapes.push(Shape::Bitmap { x, y, width, height, size, rgb });
    }

    /// An SVG element. With `themed` its colours are variables of the page around it.
    pub(crate) fn svg(&self, themed: bool) -> Result<String, png::EncodingError> {
        let Self { width, height, .. } = self;
        let mut out =
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n");
        let _ = writeln!(out, "<rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>", Ink::Back.css(themed));
        for shape in &self.shapes {
            let _ = match shape {
                Shape::Rect { x, y, width, height, ink } => {
                    let css = ink.css(themed);
                    writeln!(
                        out,
                        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{css}\"/>"
                    )
                }
                Shape::Text { x, y, text } => {
                    let css = Ink::Text.css(themed);
                    writeln!(
                        out,
                        "<text x=\"{x:.1}\" y=\"{:.1}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"{css}\">{}</text>",
                        y + 10.0,
                        escaped(text)
                    )
                }
                Shape::Bitmap { x, y, width, height, size, rgb } => {
                    let data = base64::encode(&png(*size, rgb)?);
                    writeln!(
                        out,
                        "<image x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" preserveAspectRatio=\"none\" href=\"data:image/png;base64,{data}\"/>"
                    )
                }
            };
        }
        out += "</svg>\n";
        Ok(out)
    }

    /// A PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut pixels = Pixels {
            width: self.width,
            height: self.height,
            rgb: Ink::Back.rgb().repeat((self.width * self.height) as usize),
        };
        for shape in &self.shapes {
            match shape {
                Shape::Rect { x, y, width, height, ink } => pixels.fill((*x, *y), (*width, *height), |_, _| ink.rgb()),
                Shape::Text { x, y, text } => pixels.text(*x, *y, text),
                Shape::Bitmap { x, y, width, height, size, rgb } => {
                    pixels.fill((*x, *y), (*width, *height), |across, down| {
                        let column = ((across * f64::from(size.0)) as usize).min(size.0.saturating_sub(1) as usize);
                        let row = ((down * f64::from(size.1)) as usize).min(size.1.saturating_sub(1) as usize);
                        let at = (row * size.0 as usize + column) * 3;
                        rgb.get(at..at + 3).map_or([0; 3], |rgb| [rgb[0], rgb[1], rgb[2]])
                    })
                }
            }
        }
        png((self.width, self.height), &pixels.rgb)
    }
}

fn png((width, height): (u32, u32), rgb: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(rgb)?;
    Ok(out)
}

struct Pixels {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Pixels {
    /// Fills a rectangle; `colour` gets the place in it, from 0 to 1.
    fn fill(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), colour: impl Fn(f64, f64) -> [u8; 3]) {
        let span = |start: f64, length: f64, most: u32| {
            let first = start.round().clamp(0.0, f64::from(most)) as usize;
            let end = (start + length).round().max(start.round() + 1.0).clamp(0.0, f64::from(most)) as usize;
            first..end
        };
        for row in span(y, height, self.height) {
            for column in span(x, width, self.width) {
                let place = ((column as f64 + 0.5 - x) / width.max(1.0), (row as f64 + 0.5 - y) / height.max(1.0));
                let at = (row * self.width as usize + column) * 3;
                if let Some(pixel) = self.rgb.get_mut(at..at + 3) {
                    pixel.copy_from_slice(&colour(place.0, place.1));
                }
            }
        }
    }

    /// Letters of 3 by 5 dots, each of 2 pixels.
    fn text(&mut self, x: f64, y: f64, text: &str) {
        for (at, letter) in text.chars().enumerate() {
            let Some((_, dots)) = FONT.iter().find(|(known, _)| *known == letter) else { continue };
            for dot in (0..15).filter(|dot| dots >> (14 - dot) & 1 == 1) {
                let (column, row) = (f64::from(dot % 3), f64::from(dot / 3));
                self.fill((x + at as f64 * 8.0 + column * 2.0, y + row * 2.0), (2.0, 2.0), |_, _| Ink::Text.rgb());
            }
        }
    }
}

/// Text in XML and HTML.
pub(crate) fn escaped(text: &str) -> String {
    let shown = maliu::plain::plain(text).to_string();
    shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_drawn_in_both_forms() {
        let mut canvas = Canvas::new(40, 20);
        canvas.rect((2.0, 2.0), (4.0, 4.0), Ink::Mark);
        canvas.text((10.0, 5.0), "1<k");
        canvas.bitmap((20.0, 0.0), (20.0, 20.0), (1, 1), vec![1, 2, 3]);
        let svg = canvas.svg(false).unwrap();
        assert!(
            svg.contains("1&lt;k") && svg.contains("data:image/png;base64,iVBOR") && svg.contains("#d43c2c"),
            "{svg}"
        );
        let png = canvas.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; 40 * 20 * 3];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(
            (&pixels[(3 * 40 + 3) * 3..][..3], &pixels[(3 * 40 + 30) * 3..][..3]),
            (&[212, 60, 44][..], &[1, 2, 3][..])
        );
    }
}
