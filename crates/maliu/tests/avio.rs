//! The buffered I/O contexts where they do not do what FFmpeg does, and where no vector looks.

use maliu::avio::{BufferedReader, BufferedWriter, Code, Whence};

#[test]
fn by_default_a_read_error_is_told_once_and_reading_goes_on() {
    let mut answers = vec![Err(Code::EAGAIN), Ok(2), Err(Code::EIO), Ok(1), Ok(0)].into_iter();
    let mut reader = BufferedReader::new(8, move |into| {
        into.fill(7);
        answers.next().unwrap_or(Ok(0))
    });
    let mut into = [0; 4];
    let results: Vec<_> = (0..6).map(|_| reader.read(&mut into)).collect();
    assert_eq!(results, [Err(Code::EAGAIN), Ok(2), Err(Code::EIO), Ok(1), Err(Code::EOF), Err(Code::EOF)]);
}

#[test]
fn zero_and_overlong_answers_end_in_bounded_time() {
    let mut reader = BufferedReader::new(8, |_| Ok(0));
    assert_eq!(reader.read(&mut [0; 100]), Err(Code::EOF), "past the buffer");
    assert_eq!(reader.seek(1000, Whence::Set), Err(Code::EOF), "reading on");
    let mut reader = BufferedReader::new(8, |into| Ok(into.len() + 1));
    assert_eq!(reader.read(&mut [0; 4]), Err(Code::EIO));
    assert_eq!(reader.read(&mut [0; 100]), Err(Code::EIO));
}

#[test]
fn by_default_a_write_error_is_told_at_once_and_by_every_later_call() {
    let mut writer = BufferedWriter::new(4, |_| Err(Code(-28)));
    assert_eq!(writer.write(b"abc"), Ok(()));
    assert_eq!(writer.write(b"d"), Err(Code(-28)));
    assert_eq!(writer.w8(1), Err(Code(-28)));
    assert_eq!(writer.close(), Err(Code(-28)));
}

#[test]
fn checksums_cover_what_passes_between_start_and_end() {
    let sum = |value: u32, bytes: &[u8]| bytes.iter().fold(value, |sum, byte| sum + u32::from(*byte));
    let mut left: &[u8] = &[1; 100];
    let mut reader = BufferedReader::new(8, move |into| Ok(std::io::Read::read(&mut left, into).unwrap()));
    reader.read(&mut [0; 3]).unwrap();
    reader.start_checksum(sum, 1000);
    reader.read(&mut [0; 50]).unwrap();
    assert_eq!(reader.checksum(), 1050);
    let mut writer = BufferedWriter::new(8, |_| Ok(()));
    writer.write(&[1; 3]).unwrap();
    writer.start_checksum(sum, 1000);
    writer.write(&[1; 50]).unwrap();
    assert_eq!(writer.checksum(), 1050);
}

#[test]
fn a_promised_seek_back_works_on_a_pipe() {
    let mut next = 0u8;
    let mut reader = BufferedReader::new(16, move |into| {
        into.fill_with(|| {
            next = next.wrapping_add(1);
            next
        });
        Ok(into.len())
    });
    reader.read(&mut [0; 10]).unwrap();
    reader.ensure_seekback(5000).unwrap();
    reader.read(&mut [0; 5000]).unwrap();
    assert_eq!((reader.seek(10, Whence::Set), reader.r8()), (Ok(10), 11));
}
