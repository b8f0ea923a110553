//! The examples of the documents hold: every TOML text in docs/layouts.md is a sound layout.

#![cfg(feature = "layout")]

#[test]
fn every_layout_in_the_tutorial_is_sound() {
    let text = include_str!("../../../docs/layouts.md");
    let layouts: Vec<&str> = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(layouts.len() >= 3);
    for layout in layouts {
        maliu::layout::parse(layout).unwrap_or_else(|fault| panic!("{fault}\n{layout}"));
    }
}

#[test]
fn the_last_step_of_the_tutorial_is_the_preset_but_for_its_name() {
    let text = include_str!("../../../docs/layouts.md");
    let steps = text.split("```toml\n").filter(|step| step.starts_with("name = \"screen\""));
    let last = steps.last().and_then(|rest| rest.split("```").next()).unwrap();
    let (mine, mut preset) =
        (maliu::layout::parse(last).unwrap(), maliu::layout::named("scrcpy").unwrap().layout().unwrap());
    preset.preamble[1].map.retain(|(value, _)| mine.preamble[1].map.iter().any(|(known, _)| known == value));
    // The preset also refuses captures of other versions.
    preset.preamble.iter_mut().for_each(|field| (field.range, field.otherwise) = (None, None));
    assert_eq!((mine.header, mine.preamble), (preset.header, preset.preamble));
}
