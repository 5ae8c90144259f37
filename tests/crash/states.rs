//! What a power cut may leave on a disk, as POSIX has it.
//!
//! Bytes of a file are on the disk once the file was synced; before that each write or cut may be there, or not, or a write
//! may be there in part: cut short, or its room without its bytes. Names of a folder are there once the folder was synced;
//! before that each change may be there or not, whatever came before or after it. A rename is one change. Syncing a file
//! says nothing about its name, and syncing a folder nothing about its own name in the folder above.

use crate::ledger::{Event, Node};
use crate::promised::Promised;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Lock files carry nothing and are made past the disk.
const LOCKS: [&str; 2] = ["leader.lock", "settings.lock"];
const ROOT: Node = 0;
/// Changes of which every selection is tried. There are never more at once when the library syncs what it should.
const MOST: usize = 7;
/// The same for the selections of several folders together, and for what several files may hold together.
const MOST_TOGETHER: usize = 1_000;

/// Names and bytes below one folder; `None` is a folder.
pub type Image = BTreeMap<PathBuf, Option<Arc<[u8]>>>;
type Names = BTreeMap<String, Node>;

/// The same, with who is who.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    folders: BTreeMap<Node, Names>,
    files: BTreeMap<Node, Arc<[u8]>>,
}

impl Tree {
    /// What lies below a real folder.
    pub fn read(root: &Path) -> Tree {
        let mut tree = Tree::default();
        let mut next = ROOT + 1;
        tree.read_into(root, ROOT, &mut next);
        tree
    }

    fn read_into(&mut self, path: &Path, node: Node, next: &mut Node) {
        let mut names = Names::new();
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if LOCKS.contains(&name.as_str()) {
                continue;
            }
            let node = *next;
            *next += 1;
            if entry.file_type().unwrap().is_dir() {
                self.read_into(&entry.path(), node, next);
            } else {
                self.files.insert(node, fs::read(entry.path()).unwrap().into());
            }
            names.insert(name, node);
        }
        self.folders.insert(node, names);
    }

    /// A number that nothing has.
    pub fn next_node(&self) -> Node {
        self.folders.keys().chain(self.files.keys()).max().map_or(ROOT, |node| node + 1)
    }

    /// Everything that has a name, the root among it.
    pub fn paths(&self) -> Vec<(PathBuf, Node)> {
        let mut found = vec![(PathBuf::new(), ROOT)];
        self.walk(Path::new(""), ROOT, &mut |path, node| found.push((path, node)));
        found
    }

    fn walk(&self, path: &Path, node: Node, tell: &mut dyn FnMut(PathBuf, Node)) {
        for (name, node) in self.folders.get(&node).into_iter().flatten() {
            let path = path.join(name);
            tell(path.clone(), *node);
            self.walk(&path, *node, tell);
        }
    }

    fn image(&self, bytes: &BTreeMap<Node, Arc<[u8]>>) -> Image {
        let content = |node| bytes.get(&node).or_else(|| self.files.get(&node)).cloned();
        self.paths().into_iter().skip(1).map(|(path, node)| (path, content(node))).collect()
    }

    fn apply_name(&mut self, event: &Event) {
        match event {
            Event::Link { folder, name, node, .. } => {
                self.folders.entry(*folder).or_default().insert(name.clone(), *node);
            }
            Event::Rename { folder, from, to, node } => {
                let names = self.folders.entry(*folder).or_default();
                names.remove(from);
                names.insert(to.clone(), *node);
            }
            Event::Unlink { folder, name } => {
                self.folders.entry(*folder).or_default().remove(name);
            }
            other => panic!("{other:?} changes no name"),
        }
    }
}

/// One state, and what was promised by the last moment at which it is possible.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    pub promised: Promised,
    /// The number of the event after which the power was cut.
    pub after: usize,
}

/// Everything that a power cut at any moment may leave.
#[derive(Default)]
pub struct States {
    pub images: HashMap<Image, Due>,
    /// Moments with too many changes at once for all selections of them.
    pub cut_short: usize,
}

impl States {
    /// All states that this story may end in.
    pub fn of(base: &Tree, events: &[Event]) -> States {
        States::since(0, base, events)
    }

    /// Those in which it may end when it goes on until the first `happened` events are past.
    pub fn since(happened: usize, base: &Tree, events: &[Event]) -> States {
        let mut machine = Machine::new(base.clone());
        let mut states = States::default();
        for index in 0..=events.len() {
            if index >= happened {
                machine.cut_power(index, &mut states);
            }
            if let Some(event) = events.get(index) {
                machine.take(event);
            }
        }
        states
    }

    fn add(&mut self, image: Image, due: Due) {
        let known = self.images.entry(image).or_insert(due);
        *known = Due { promised: both(known.promised, due.promised), after: due.after };
    }

    /// Those of both.
    pub fn join(&mut self, other: States) {
        self.cut_short += other.cut_short;
        other.images.into_iter().for_each(|(image, due)| self.add(image, due));
    }

    /// As many as that at most, from all over.
    pub fn some(&self, most: usize) -> Vec<(&Image, &Due)> {
        let mut all: Vec<_> = self.images.iter().collect();
        all.sort_by_key(|(image, due)| (due.after, *image));
        let step = all.len().div_ceil(most).max(1);
        all.into_iter().step_by(step).collect()
    }

    /// What the machine shows as long as it has power.
    pub fn live(base: &Tree, events: &[Event]) -> Image {
        let mut machine = Machine::new(base.clone());
        for event in events {
            machine.take(event);
        }
        machine.sync_all();
        machine.durable.image(&BTreeMap::new())
    }
}

fn both(one: Promised, other: Promised) -> Promised {
    Promised {
        sequence: one.sequence.max(other.sequence),
        floor: one.floor.max(other.floor),
        revision: one.revision.max(other.revision),
        acknowledged: one.acknowledged.max(other.acknowledged),
        keys: one.keys.max(other.keys),
        journal: one.journal.max(other.journal),
    }
}

/// A machine with a disk: what is on the disk for good, and what waits, by folder and by file.
struct Machine {
    durable: Tree,
    names: BTreeMap<Node, Vec<Event>>,
    bytes: BTreeMap<Node, Vec<Event>>,
    promised: Promised,
}

impl Machine {
    fn new(durable: Tree) -> Machine {
        Machine { durable, names: BTreeMap::new(), bytes: BTreeMap::new(), promised: Promised::default() }
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Link { folder, node, is_folder, .. } => {
                // It exists, empty; whether it has a name is the folder's.
                if *is_folder {
                    self.durable.folders.insert(*node, Names::new());
                } else {
                    self.durable.files.insert(*node, Arc::default());
                }
                self.names.entry(*folder).or_default().push(event.clone());
            }
            Event::Rename { folder, .. } | Event::Unlink { folder, .. } => {
                self.names.entry(*folder).or_default().push(event.clone());
            }
            Event::Write { node, .. } | Event::Cut { node, .. } => {
                self.bytes.entry(*node).or_default().push(event.clone());
            }
            Event::SyncFile(node) => self.sync_file(*node),
            Event::SyncFolder(folder) => self.sync_folder(*folder),
            Event::Promised(promised) => self.promised = *promised,
        }
    }

    fn sync_file(&mut self, node: Node) {
        let waiting: Vec<Event> = self.bytes.remove(&node).unwrap_or_default();
        let before = self.durable.files.get(&node).cloned().unwrap_or_default();
        self.durable.files.insert(node, with(&before, &waiting.iter().collect::<Vec<_>>()).into());
    }

    fn sync_folder(&mut self, folder: Node) {
        for event in self.names.remove(&folder).unwrap_or_default() {
            self.durable.apply_name(&event);
        }
    }

    fn sync_all(&mut self) {
        let folders: Vec<Node> = self.names.keys().copied().collect();
        folders.into_iter().for_each(|folder| self.sync_folder(folder));
        let files: Vec<Node> = self.bytes.keys().copied().collect();
        files.into_iter().for_each(|node| self.sync_file(node));
    }

    fn cut_power(&self, after: usize, states: &mut States) {
        let due = Due { promised: self.promised, after };
        let changes: Vec<&[Event]> = self.names.values().map(Vec::as_slice).collect();
        let mut choices: Vec<Vec<Vec<&Event>>> = changes.iter().map(|events| selections(events, states)).collect();
        few_enough(&mut choices, states);
        each_combination(&choices, &mut |chosen| {
            let mut tree = self.durable.clone();
            chosen.iter().flat_map(|events| events.iter()).for_each(|event| tree.apply_name(event));
            let named: BTreeSet<Node> = tree.paths().into_iter().map(|(_, node)| node).collect();
            let waiting: Vec<(Node, &Vec<Event>)> = self
                .bytes
                .iter()
                .filter(|(node, _)| named.contains(node))
                .map(|(node, events)| (*node, events))
                .collect();
            let mut contents: Vec<Vec<Arc<[u8]>>> =
                waiting.iter().map(|(node, events)| self.contents(*node, events, states)).collect();
            few_enough(&mut contents, states);
            each_combination(&contents, &mut |chosen| {
                let bytes = waiting.iter().map(|(node, _)| *node).zip(chosen.iter().map(|bytes| (*bytes).clone()));
                states.add(tree.image(&bytes.collect()), due);
            });
        });
    }

    /// What a file may hold of which some writes are not on the disk for sure.
    fn contents(&self, node: Node, waiting: &[Event], states: &mut States) -> Vec<Arc<[u8]>> {
        let before = self.durable.files.get(&node).cloned().unwrap_or_default();
        let mut found = BTreeSet::new();
        for chosen in selections(waiting, states) {
            found.insert(with(&before, &chosen));
            let Some((Event::Write { node, at, bytes }, earlier)) = chosen.split_last() else { continue };
            for torn in torn(bytes) {
                let part = Event::Write { node: *node, at: *at, bytes: torn.into() };
                found.insert(with(&before, &[earlier, &[&part]].concat()));
            }
        }
        found.into_iter().map(Arc::from).collect()
    }
}

/// What there may be of one write: its beginning, its room, its room with one half of it.
fn torn(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (half, length) = (bytes.len() / 2, bytes.len());
    if half == 0 {
        return vec![vec![0; length]];
    }
    let zeros = |count| vec![0; count];
    vec![
        bytes[..1].to_owned(),
        bytes[..half].to_owned(),
        bytes[..length - 1].to_owned(),
        zeros(length),
        [&bytes[..half], &zeros(length - half)].concat(),
        [&zeros(half), &bytes[half..]].concat(),
    ]
}

fn with(before: &[u8], events: &[&Event]) -> Vec<u8> {
    let mut content = before.to_owned();
    for event in events {
        match event {
            Event::Write { at, bytes, .. } => {
                let end = at + bytes.len();
                content.resize(content.len().max(end), 0);
                content[*at..end].copy_from_slice(bytes);
            }
            Event::Cut { length, .. } => content.resize(*length, 0),
            other => panic!("{other:?} changes no bytes"),
        }
    }
    content
}

/// Every selection of these changes, in their order. Of very many: those up to each moment, with and without each one.
fn selections<'a>(events: &'a [Event], states: &mut States) -> Vec<Vec<&'a Event>> {
    let chosen = |keep: &dyn Fn(usize) -> bool| {
        events.iter().enumerate().filter(|(index, _)| keep(*index)).map(|(_, event)| event).collect::<Vec<_>>()
    };
    if events.len() <= MOST {
        return (0..1_usize << events.len()).map(|bits| chosen(&|index| bits >> index & 1 == 1)).collect();
    }
    states.cut_short += 1;
    let mut found = Vec::new();
    for end in 0..=events.len() {
        found.push(chosen(&|index| index < end));
        found.push(chosen(&|index| index + 1 < end || index == end));
    }
    found
}

/// Of very many combinations: each first one with each last one.
fn few_enough<T>(choices: &mut [Vec<T>], states: &mut States) {
    if choices.iter().map(Vec::len).product::<usize>() > MOST_TOGETHER {
        states.cut_short += 1;
        for choice in choices {
            let last = choice.len() - 1;
            choice.swap(1.min(last), last);
            choice.truncate(2);
        }
    }
}

fn each_combination<T>(choices: &[Vec<T>], tell: &mut dyn FnMut(&[&T])) {
    fn go<'a, T>(choices: &'a [Vec<T>], chosen: &mut Vec<&'a T>, tell: &mut dyn FnMut(&[&T])) {
        let Some((first, rest)) = choices.split_first() else { return tell(chosen) };
        for choice in first {
            chosen.push(choice);
            go(rest, chosen, tell);
            chosen.pop();
        }
    }
    go(choices, &mut Vec::new(), tell);
}
