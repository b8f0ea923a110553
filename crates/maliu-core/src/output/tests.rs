//! Edits and joined pieces, as the pump sees them.

use super::*;

#[test]
fn edits_come_out_in_order_and_positions_count_inserts() {
    let mut out = Output::new(Reach::Insert);
    out.append(Mark::Header, [Bytes::from_static(b"head"), Bytes::new(), Bytes::from_static(b"er")]);
    out.overwrite(0, Bytes::from_static(b"H"));
    out.insert(4, Bytes::from_static(b"--"));
    assert_eq!((out.position(), out.waiting()), (8, 6));
    assert!(matches!(out.next_edit(), Some(Edit::Append(piece)) if piece.parts.len() == 2));
    assert!(matches!(out.next_edit(), Some(Edit::Overwrite { at: 0, .. })));
    assert!(matches!(out.next_edit(), Some(Edit::Insert { at: 4, .. })));
    assert_eq!((out.next_edit(), out.waiting()), (None, 0));
}

#[test]
fn what_still_waits_can_be_amended_and_what_left_cannot() {
    let mut out = Output::new(Reach::Append);
    out.append(Mark::Header, [Bytes::from_static(b"head"), Bytes::from_static(b"er")]);
    out.append(Mark::Trailer, [Bytes::from_static(b"end")]);
    assert!(out.amend(1, b"EA") && out.amend(6, b"E"));
    assert!(!out.amend(3, b"DE"), "in two parts");
    assert!(!out.amend(8, b"DE"), "past the end");
    let Some(Edit::Append(piece)) = out.next_edit() else { panic!() };
    assert_eq!(piece.parts.concat(), b"hEAder");
    assert!(!out.amend(0, b"H"), "it has left");
    assert!(out.amend(7, b"N"));
    let Some(Edit::Append(piece)) = out.next_edit() else { panic!() };
    assert_eq!(piece.parts.concat(), b"ENd");
}

#[test]
fn joined_pieces_come_out_when_they_are_enough_or_wanted() {
    let whole = |edit: Option<Edit>| match edit {
        Some(Edit::Append(piece)) => Some((piece.mark, piece.parts.concat(), piece.parts.len())),
        _ => None,
    };
    let mut out = Output::new(Reach::Overwrite).joining(8);
    out.append(Mark::Header, [Bytes::from_static(b"head"), Bytes::new()]);
    assert_eq!((out.next_edit(), out.waiting(), out.position()), (None, 4, 4));
    out.append_between(Mark::Trailer, b"<", &Bytes::from_static(b"ab"), b">");
    assert_eq!(whole(out.next_edit()), Some((Mark::Header, b"head<ab>".to_vec(), 1)));
    let large = Bytes::from(alloc::vec![7; 5000]);
    out.append_between(Mark::Trailer, b"<", &large, b">");
    assert_eq!(whole(out.next_edit()), Some((Mark::Trailer, [b"<", &large[..], b">"].concat(), 3)));
    out.append(Mark::Trailer, [Bytes::from_static(b"end")]);
    out.overwrite(0, Bytes::from_static(b"H"));
    assert_eq!(whole(out.next_edit()), Some((Mark::Trailer, b"end".to_vec(), 1)));
    assert!(matches!(out.next_edit(), Some(Edit::Overwrite { at: 0, .. })));
    out.append(Mark::Trailer, [Bytes::from_static(b".")]);
    out.close();
    assert_eq!((whole(out.next_edit()), out.waiting()), (Some((Mark::Trailer, b".".to_vec(), 1)), 0));
}
